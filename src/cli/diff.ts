// shardbench diff: two results of the same work, and what explains their difference.

import type { Command } from "commander";
import type { Metrics } from "../measure/metrics.ts";
import { EnvironmentError } from "../environment_error.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { writePage } from "./html_file.ts";
import { printJson, printReports } from "./output.ts";

interface Flags {
  readonly html?: string;
  readonly write?: boolean;
  readonly json?: boolean;
}

export function defineDiff(program: Command): void {
  program
    .command("diff")
    .argument("<before>", "what a `shardbench run` wrote")
    .argument("<after>", "what another one wrote")
    .summary("which of two results is faster, and which kernels and collectives explain it")
    .description(
      "Says of two results of the same work whether the second is faster, slower, the same, or whether\n" +
        "their intervals leave that open, and which kernels and collectives differ. Results of other work,\n" +
        "adapters or versions are refused: their times say nothing of each other.",
    )
    .option("--html <file>", "write a page")
    .option("--write", "overwrite the file of --html")
    .option("--json", "print the differences as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench run plan.yaml --runs 3 -o before.json
  $ shardbench diff before.json after.json`,
    )
    .action((before: string, after: string, flags: Flags) =>
      guarded(flags.json, () => diff(before, after, flags)),
    );
}

async function diff(
  before: string,
  after: string,
  { html, write, json }: Flags,
): Promise<ExitCode> {
  const [{ readResultAndPlan }, { whyNotComparable }, { diffReport }] = await Promise.all([
    import("../harness/earlier_result.ts"),
    import("../result/comparable.ts"),
    import("../report/diff_report.ts"),
  ]);
  const one = await readResultAndPlan(before);
  const other = await readResultAndPlan(after);
  const reasons = whyNotComparable(one.result, other.result);
  if (reasons.length > 0) {
    throw new EnvironmentError(
      "result-refused",
      `${before} and ${after} cannot be compared: ${reasons.join("; ")}`,
      "run both on the same machine, with the same version and options",
    );
  }
  if (json === true) {
    printJson(await differencesOf(one.result, other.result));
    return exitCodes.fine;
  }
  const shown = diffReport(one.plan, one.result, other.result);
  if (html === undefined) {
    printReports([shown]);
  } else {
    await writePage(html, shown, write === true);
  }
  return exitCodes.fine;
}

async function differencesOf(before: Measured, after: Measured): Promise<object> {
  const { communicationDifferences, kernelDifferences, timeDifference } =
    await import("../measure/difference.ts");
  const [step, then] = [before.metrics.stepMs, after.metrics.stepMs];
  return {
    ...(step === undefined || then === undefined ? {} : { step: timeDifference(step, then) }),
    kernels: kernelDifferences(before.metrics, after.metrics),
    communication: communicationDifferences(before.metrics, after.metrics),
  };
}

interface Measured {
  readonly metrics: Metrics;
}
