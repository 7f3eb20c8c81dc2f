// shardbench project: a plan's step on hardware that is not here, with its interval and what dominates it.

import type { Command } from "commander";
import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import { BadPlan } from "./bad_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { onHardware, otherHardware, type OtherHardware } from "./other_hardware.ts";
import { printJson, printReports } from "./output.ts";
import { addPeakOptions, type PeakFlags } from "./peaks.ts";
import { projectionPeaks } from "./projection_peaks.ts";
import { adapterOption, placementOption } from "./run_options.ts";
import { duration } from "./values.ts";

interface Flags extends PeakFlags {
  readonly hardware?: OtherHardware;
  readonly from: readonly string[];
  readonly latency?: number;
  readonly adapter?: string;
  readonly placement?: string;
  readonly json?: boolean;
}

export function defineProject(program: Command): void {
  addPeakOptions(program.command("project"))
    .argument("<file>", "plan in YAML or JSON")
    .summary("project a plan's step on other hardware, with an interval")
    .description(
      "The step by figures of the hardware: as given, else the plan's, else this machine's; what dominates it,\n" +
        "and what it says of the plan's claims, which it neither confirms nor refutes. Results of three or\n" +
        "more other plans that ran on the same hardware calibrate it; without them the interval is wide. Where\n" +
        "they were run with --project, its instructions take what theirs took, and the interval is narrow.",
    )
    .option("--hardware <name>", "GPUs of docs/gpus.md, such as H100-SXM*16", otherHardware)
    .option("--from <file...>", "results of other plans on the same hardware", collect, [])
    .option("--latency <duration>", "between two GPUs, such as 10us", duration)
    .addOption(adapterOption())
    .addOption(placementOption())
    .option("--json", "print the projection as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench project plan.yaml --hardware 'H100-SXM*16'
  $ shardbench project plan.yaml --from results/a.json results/b.json results/c.json`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => project(file, flags)));
}

function collect(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

async function project(file: string, flags: Flags): Promise<ExitCode> {
  const { written, plan } = await planOn(file, flags.hardware);
  const peaks = await projectionPeaks(plan, flags);
  const [{ projectStep }, { runsOfResults }, { judgeProjectedClaims }] = await Promise.all([
    import("../search/projected_step.ts"),
    import("../harness/projection_runs.ts"),
    import("../claims/judge_projected.ts"),
  ]);
  const runs = flags.from.length === 0 ? [] : await runsOfResults(flags.from, plan);
  const projected = projectStep(written, plan, peaks.peaks, peaks.overheads, runs);
  const { samplesPerSecond, tokensPerSecond } = projected;
  // Claims of a plan that serves are on whole requests, which a decode step is not.
  const verdicts =
    plan.workload.mode === "serving"
      ? []
      : judgeProjectedClaims(plan, { samplesPerSecond, tokensPerSecond });
  if (flags.json === true) {
    printJson({ plan: plan.name, provenance: "projected", ...peaks, ...projected, verdicts });
    return exitCodes.fine;
  }
  const { projectReport } = await import("../report/project_report.ts");
  printReports([projectReport({ plan, written, projected, verdicts, peaksFrom: peaks.peaksFrom })]);
  return exitCodes.fine;
}

/** With degrees that fit, where the hardware has another number of GPUs. */
async function planOn(
  file: string,
  hardware: OtherHardware | undefined,
): Promise<{ readonly written: PlanFile; readonly plan: Plan }> {
  const [{ readPlan }, { normalise }, { redegreed }, { planErrors }] = await Promise.all([
    import("../plan/load.ts"),
    import("../plan/normalise.ts"),
    import("../plan/redegree.ts"),
    import("../check/check_plan.ts"),
  ]);
  const { document, diagnostics } = await readPlan(file);
  const { written } = document;
  if (written === undefined) throw new BadPlan({ document, diagnostics });
  const gpus = hardware?.gpus ?? written.hardware.gpus;
  const isOther = gpus !== written.hardware.gpus;
  const targets = isOther && written.stages === undefined ? redegreed(written, gpus) : [written];
  let refused = [...diagnostics];
  for (const target of targets) {
    const own = onHardware(target, hardware);
    const { plan, diagnostics: found } = normalise(own);
    if (plan === undefined) {
      refused = [...found];
      continue;
    }
    // What its GPUs hold is not asked: it would take a count of every rank.
    const { memoryPerGpu: _, ...anyMemory } = plan.hardware;
    refused = planErrors({ ...plan, hardware: anyMemory }, { ...document, written: own });
    if (refused.length === 0) return { written: own, plan };
  }
  throw new BadPlan({ document, diagnostics: refused });
}
