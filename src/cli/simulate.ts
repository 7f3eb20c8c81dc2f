// shardbench simulate: a plan's step as it would be if every rank had a GPU of its own.

import type { Command } from "commander";
import { EnvironmentError } from "../environment_error.ts";
import type { Plan } from "../plan/plan.ts";
import type { BrowserTimes } from "../result/browser_times.ts";
import type { Projection, RunResult } from "../result/result.ts";
import { gap } from "../report/section.ts";
import { soundPlan } from "./bad_plan.ts";
import { countedPlan } from "./counted_plan.ts";
import { earlierResult } from "./earlier_result.ts";
import { execute, exitCodeOfRun } from "./execute.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { printJson, printReports } from "./output.ts";
import { addPeakOptions, peaksOf, type PeakFlags } from "./peaks.ts";
import { addRunOptions, runOptions, withSeed, type RunFlags } from "./run_options.ts";
import { duration } from "./values.ts";

interface Flags extends RunFlags, PeakFlags {
  readonly result?: string;
  /** ms */
  readonly latency?: number;
  readonly links?: string;
  readonly json?: boolean;
}

export function defineSimulate(program: Command): void {
  addPeakOptions(addRunOptions(program.command("simulate")))
    .argument("<file>", "plan in YAML or JSON")
    .summary("project a plan's step from what its instructions take alone")
    .description(
      "Times every rank's instructions on the local adapter while no other rank is at work, and plays all\n" +
        "ranks against each other. With --result it plays an earlier run's times, or a browser's; with\n" +
        "--peak-flops those that follow from the hardware's figures, also for thousands of GPUs. With\n" +
        "--links, transfers take latency + bytes / bandwidth as `collectives` fitted them. Every figure is\n" +
        "projected.",
    )
    .option(
      "--result <file>",
      "play the exclusive times of an earlier `run --project`, or those that a `page` measured",
    )
    .option(
      "--latency <duration>",
      "between two GPUs, with --peak-flops or times of a page, such as 10us",
      duration,
    )
    .option("--links <file>", "transfers by the link model of an earlier `collectives send --json`")
    .option("--json", "print the projection as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench simulate plan.yaml --adapter lavapipe --pin
  $ shardbench simulate plan.yaml --result results/plan.json
  $ shardbench collectives send --json > link.json
  $ shardbench simulate plan.yaml --result results/plan.json --links link.json
  $ shardbench simulate plan.yaml --peak-flops 989TFLOPS --link-bandwidth 50GB/s`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => simulate(file, flags)));
}

async function simulate(file: string, flags: Flags): Promise<ExitCode> {
  if (flags.peakFlops !== undefined) return fromHardware(file, flags);
  const { plan: asWritten } = await soundPlan(file);
  const plan = withSeed(asWritten, flags.seed);
  if (flags.result !== undefined) {
    await show(plan, await projectionOfFile(plan, flags.result, flags), flags);
    return exitCodes.fine;
  }
  const result = await execute(plan, { ...runOptions(flags), project: "only" });
  const code = exitCodeOfRun(result);
  if (code !== exitCodes.fine || result.projection === undefined) {
    const { runOutcomeSection } = await import("../report/sections/outcome.ts");
    if (code === exitCodes.fine) throw untimed();
    printReports([{ sections: [{ blocks: [gap, ...runOutcomeSection(result).blocks] }] }]);
    return code;
  }
  const projection =
    flags.links === undefined
      ? result.projection
      : await projectWith(plan, result, result.projection.from, flags.links);
  await show(plan, projection, flags);
  return exitCodes.fine;
}

async function projectWith(
  plan: Plan,
  { estimate }: RunResult,
  from: Projection["from"],
  links: string,
): Promise<Projection> {
  const [{ lower }, { projectionOf }, { readLink }, { linkCondition }] = await Promise.all([
    import("../program/lower.ts"),
    import("../harness/projection.ts"),
    import("../result/link_file.ts"),
    import("../report/sections/projection.ts"),
  ]);
  const model = await readLink(links);
  const condition = linkCondition(model);
  return projectionOf(lower(plan), estimate, from, { model, condition });
}

function untimed(): EnvironmentError {
  return new EnvironmentError(
    "missing-feature",
    "the adapter does not time kernels one by one, so nothing can be projected",
    "choose another adapter; `shardbench adapters` lists what is there",
  );
}

async function projectionOfFile(plan: Plan, file: string, flags: Flags): Promise<Projection> {
  const [{ readResultText }, { parseBrowserTimes, saysBrowserTimes }] = await Promise.all([
    import("../result/result_file.ts"),
    import("../result/browser_times.ts"),
  ]);
  const text = await readResultText(file);
  if (saysBrowserTimes(text)) {
    return projectionOfBrowser(plan, parseBrowserTimes(text, file), file, flags);
  }
  const { seed, links } = flags;
  const result = await earlierResult(file, plan, seed, text);
  const { projection } = result;
  if (projection === undefined) {
    throw new EnvironmentError(
      "file-not-readable",
      `${file} has no exclusive times`,
      "make one with `shardbench run --project` of this plan",
    );
  }
  return links === undefined ? projection : projectWith(plan, result, projection.from, links);
}

/** A page times kernels, and no transfers. */
async function projectionOfBrowser(
  plan: Plan,
  times: BrowserTimes,
  file: string,
  flags: Flags,
): Promise<Projection> {
  const [{ browserProjection }, { linkOf }] = await Promise.all([
    import("../harness/browser_projection.ts"),
    import("./simulated_link.ts"),
  ]);
  return browserProjection(plan, times, file, await linkOf(plan, flags));
}

async function show(plan: Plan, projection: Projection, { json }: Flags): Promise<void> {
  if (json === true) {
    printJson({ plan: plan.name, provenance: "projected", ...projection });
    return;
  }
  const { simulationReport } = await import("../report/simulation_report.ts");
  printReports([simulationReport(plan, projection)]);
}

async function fromHardware(file: string, flags: Flags): Promise<ExitCode> {
  const { plan } = await countedPlan(file);
  const [{ simulateHardware }, { hardwareReport }, { readLink }] = await Promise.all([
    import("../program/simulate/simulate_hardware.ts"),
    import("../report/simulation_report.ts"),
    import("../result/link_file.ts"),
  ]);
  const link = flags.links === undefined ? undefined : await readLink(flags.links);
  const { linkBandwidth = link?.bandwidth } = flags;
  const { peaks } = await peaksOf(plan, {
    ...flags,
    ...(linkBandwidth === undefined ? {} : { linkBandwidth }),
  });
  if (peaks === undefined) throw new Error("--peak-flops gives a peak");
  const projected = simulateHardware(plan, peaks, flags.latency ?? link?.latencyMs ?? 0);
  if (flags.json === true) printJson({ plan: plan.name, provenance: "projected", ...projected });
  else printReports([hardwareReport(plan, projected)]);
  return exitCodes.fine;
}
