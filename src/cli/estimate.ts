// shardbench estimate: what a plan costs, before anything runs.

import { InvalidArgumentError, type Command } from "commander";
import type { Ceiling } from "../measure/ceiling.ts";
import type { Diagnostic } from "../plan/diagnostic.ts";
import type { Plan } from "../plan/plan.ts";
import { parseBandwidth, parseFlops } from "../plan/quantity.ts";
import type { Peaks } from "../program/bound.ts";
import { countedPlan } from "./counted_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { outputColours, printJson, printLines } from "./output.ts";

interface Flags {
  readonly peakFlops?: number;
  readonly bandwidth?: number;
  readonly linkBandwidth?: number;
  readonly result?: string;
  readonly json?: boolean;
}

export const defineEstimate = (program: Command): void => {
  program
    .command("estimate")
    .argument("<file>", "plan in YAML or JSON")
    .summary("say what a plan costs, without running it")
    .description(
      "Parameters, FLOPs, memory, bytes on the wire and arithmetic intensity, read from the program\n" +
        "that would run; with a peak also the least time a step can take. Needs no adapter.",
    )
    .option("--peak-flops <rate>", "of one GPU, such as 67TFLOPS", rate(parseFlops, "67TFLOPS"))
    .option(
      "--bandwidth <rate>",
      "of one GPU's memory, such as 3TB/s",
      rate(parseBandwidth, "3TB/s"),
    )
    .option(
      "--link-bandwidth <rate>",
      "between two GPUs, such as 50GB/s",
      rate(parseBandwidth, "50GB/s"),
    )
    .option("--result <file>", "take peak and bandwidth as an earlier run calibrated them")
    .option("--json", "print the estimate as JSON")
    .addHelpText(
      "after",
      `
An option wins over --result, and that over the plan's hardware.

Examples:
  $ shardbench estimate plan.yaml
  $ shardbench estimate plan.yaml --peak-flops 989TFLOPS --bandwidth 3.35TB/s`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => estimate(file, flags)));
};

const rate =
  (parse: (text: string) => number | undefined, example: string) =>
  (text: string): number => {
    const value = parse(text) ?? Number(text);
    if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
    throw new InvalidArgumentError(`A rate above zero is needed, such as ${example}.`);
  };

const estimate = async (file: string, flags: Flags): Promise<ExitCode> => {
  const { plan, diagnostics } = await countedPlan(file);
  const [{ estimatePlan }, { estimateReport }] = await Promise.all([
    import("../program/estimate.ts"),
    import("../report/terminal_estimate.ts"),
  ]);
  const { peaks, source } = await peaksOf(plan, flags);
  const estimated = estimatePlan(plan, peaks);
  const leftOut = notCounted(diagnostics);
  if (flags.json === true) {
    printJson({
      plan: plan.name,
      provenance: "estimated",
      ...(peaks === undefined ? {} : { peakSource: source }),
      leftOut,
      ...estimated,
    });
  } else {
    printLines(estimateReport(plan, estimated, source, leftOut, outputColours()));
  }
  return exitCodes.fine;
};

/** What the model does and its program does not. Some of what cannot run is lowered, for counting. */
const notCounted = (diagnostics: readonly Diagnostic[]): string[] =>
  diagnostics
    .filter(
      ({ code, path }) =>
        code === "layer-not-runnable" && !["latent", "sharedFfn"].includes(String(path.at(-1))),
    )
    .map(({ message }) => message.replace("no layer here can run ", ""));

interface GivenPeaks {
  readonly peaks?: Peaks;
  /** In a phrase. */
  readonly source: string;
}

const peaksOf = async ({ hardware }: Plan, flags: Flags): Promise<GivenPeaks> => {
  const calibrated = flags.result === undefined ? undefined : await fastest(flags.result);
  const flops = flags.peakFlops ?? calibrated?.flops ?? hardware.peakFlops;
  const bandwidth = flags.bandwidth ?? calibrated?.bandwidth;
  const linkBandwidth = flags.linkBandwidth ?? hardware.linkBandwidth;
  const source =
    flags.peakFlops !== undefined
      ? "as given"
      : calibrated !== undefined
        ? `as calibrated in ${flags.result}`
        : "as the plan's hardware says";
  if (flops === undefined) return { source };
  return {
    source,
    peaks: {
      flops,
      ...(bandwidth === undefined ? {} : { bandwidth }),
      ...(linkBandwidth === undefined ? {} : { linkBandwidth }),
    },
  };
};

/** Of several adapters the fastest of each kind: a bound must not be above what any of them can do. */
const fastest = async (file: string): Promise<Peaks | undefined> => {
  const [{ readResult }, { memoryCeiling }] = await Promise.all([
    import("../report/result_file.ts"),
    import("../measure/ceiling.ts"),
  ]);
  const { calibration } = await readResult(file);
  if (calibration.length === 0) return undefined;
  const best = (ceilings: readonly (Ceiling | undefined)[]): number =>
    Math.max(...ceilings.map((ceiling) => ceiling?.figure.value ?? 0));
  return {
    flops: best(calibration.map(({ ceilings }) => ceilings.f32)),
    bandwidth: best(calibration.map(({ ceilings }) => memoryCeiling(ceilings))),
  };
};
