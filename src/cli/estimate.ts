// shardbench estimate: what a plan costs, before anything runs.

import type { Command } from "commander";
import type { Diagnostic } from "../plan/diagnostic.ts";
import type { Plan } from "../plan/plan.ts";
import { countedPlan } from "./counted_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { printJson, printReports } from "./output.ts";
import { addPeakOptions, peaksOf, type PeakFlags } from "./peaks.ts";

interface Flags extends PeakFlags {
  readonly result?: string;
  readonly json?: boolean;
}

export function defineEstimate(program: Command): void {
  addPeakOptions(program.command("estimate"))
    .argument("<file>", "plan in YAML or JSON")
    .summary("say what a plan costs, without running it")
    .description(
      "Parameters, FLOPs, memory, bytes on the wire and arithmetic intensity, read from the program\n" +
        "that would run; with a peak also the least time a step can take. Needs no adapter.",
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
}

async function estimate(file: string, flags: Flags): Promise<ExitCode> {
  const { plan, diagnostics, estimate: unbound } = await countedPlan(file);
  const [{ estimatePlan }, { estimateReport }] = await Promise.all([
    import("../program/estimate.ts"),
    import("../report/estimate_report.ts"),
  ]);
  const { peaks, source } = await peaksOf(plan, flags, flags.result);
  // Where nothing bounds it, the check has made the same estimate.
  const estimated = peaks === undefined && unbound ? unbound : estimatePlan(plan, peaks);
  const leftOut = await notCounted(plan, diagnostics);
  if (flags.json === true) {
    printJson({
      plan: plan.name,
      provenance: "estimated",
      ...(peaks === undefined ? {} : { peakSource: source }),
      leftOut,
      ...estimated,
    });
  } else {
    printReports([estimateReport(plan, estimated, source, leftOut)]);
  }
  return exitCodes.fine;
}

/** What the model does and its program does not, in the order of the file. Some of what cannot run is lowered, for counting. */
async function notCounted(
  { model, workload }: Plan,
  diagnostics: readonly Diagnostic[],
): Promise<string[]> {
  const [{ isAboutRunning }, { featuresBeyondLayers }] = await Promise.all([
    import("../check/rules/sizes/layer_not_runnable.ts"),
    import("../plan/features_beyond_layers.ts"),
  ]);
  const counted: ReadonlySet<unknown> = new Set(["latent", "sharedFfn"]);
  const features = model === undefined ? [] : featuresBeyondLayers(model, workload.sequence);
  const whatAt = new Map(
    features
      .filter(({ path }) => !counted.has(path.at(-1)))
      .map(({ path, what }) => [["model", ...path].join("."), what]),
  );
  return diagnostics.flatMap((each) => {
    const what = isAboutRunning(each) ? whatAt.get(each.path.join(".")) : undefined;
    return what === undefined ? [] : [what];
  });
}
