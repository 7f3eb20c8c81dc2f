// shardbench compare: the claims of a plan, as a gate.

import type { Command } from "commander";
import type { Plan } from "../plan/plan.ts";
import type { RunResult } from "../result/result.ts";
import type { Verdict } from "../claims/verdict.ts";
import { soundPlan } from "./bad_plan.ts";
import { earlierResult } from "./earlier_result.ts";
import { execute, exitCodeOfRun } from "./execute.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { printJson, printReports } from "./output.ts";
import { addRunOptions, runOptions, runsOption, withSeed, type RunFlags } from "./run_options.ts";

interface Flags extends RunFlags {
  readonly json?: boolean;
  readonly result?: string;
}

/** The fewest that show how runs differ. */
const usualRuns = 3;

export function defineCompare(program: Command): void {
  addRunOptions(program.command("compare"))
    .argument("<file>", "plan in YAML or JSON")
    .summary("hold a plan's claims against a run; exit 3 when one is refuted")
    .description(
      "Holds every claim of a plan against a result file, or runs the plan where none is given,\n" +
        "three times: speed is judged by how the runs differ. Exits with 3 when a claim is refuted.\n" +
        "The plan's claims may have changed since the result was written, its work may not. Figures\n" +
        "are derived again from the file's samples; a file that says anything else, was edited, or is\n" +
        "of a run that did not pass its check, is refused.",
    )
    .addOption(runsOption(usualRuns))
    .option("--result <file>", "what an earlier `shardbench run` wrote")
    .option("--json", "print the verdicts as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench compare plan.yaml --result results/plan.json
  $ shardbench compare plan.yaml --adapter gpu0 --json`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => compare(file, flags)));
}

async function compare(file: string, flags: Flags): Promise<ExitCode> {
  const { plan: asWritten } = await soundPlan(file);
  const [{ judgeClaims }, { estimatePlan }, { compareReport }] = await Promise.all([
    import("../claims/judge.ts"),
    import("../program/estimate.ts"),
    import("../report/compare_report.ts"),
  ]);
  const plan = withSeed(asWritten, flags.seed);
  const result =
    flags.result === undefined
      ? await execute(plan, { runs: usualRuns, ...runOptions(flags) })
      : await earlierResult(flags.result, plan, flags.seed);
  const verdicts =
    (await verdictsOfWhole(plan, result)) ??
    judgeClaims({ plan, estimate: estimatePlan(plan), measurements: result });
  if (flags.json === true) {
    printJson({ plan: result.plan, outcome: result.outcome, verdicts });
  } else {
    printReports([compareReport(plan, result, verdicts)]);
  }
  return gate(result, verdicts);
}

/** Of a full plan, by a run of it made smaller. */
async function verdictsOfWhole(
  plan: Plan,
  result: RunResult,
): Promise<readonly Verdict[] | undefined> {
  const { scaled } = result;
  if (scaled === undefined) return undefined;
  const [{ judgeWhole }, { workHash }] = await Promise.all([
    import("../claims/judge_whole.ts"),
    import("../result/plan_hash.ts"),
  ]);
  if (
    workHash({ ...plan, workload: { ...plan.workload, seed: result.seed } }) !== scaled.workHash
  ) {
    return undefined;
  }
  return judgeWhole(plan, { ...scaled, measurements: result });
}

/** A run that broke has not kept its claims: that comes first. */
function gate(result: RunResult, verdicts: readonly Verdict[]): ExitCode {
  const code = exitCodeOfRun(result);
  if (code !== exitCodes.fine) return code;
  return verdicts.some(({ judgement }) => judgement === "refuted")
    ? exitCodes.claimRefuted
    : exitCodes.fine;
}
