// shardbench tune: the best variant of every kernel of a plan, kept for the runs to come.

import type { Command } from "commander";
import { soundPlan } from "./bad_plan.ts";
import { execute, exitCodeOfRun } from "./execute.ts";
import type { ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { printJson, printReports } from "./output.ts";
import { adapterOption, placementOption } from "./run_options.ts";
import { duration } from "./values.ts";

interface Flags {
  readonly adapter?: string;
  readonly placement?: string;
  /** ms */
  readonly time?: number;
  readonly json?: boolean;
}

export function defineTune(program: Command): void {
  program
    .command("tune")
    .argument("<file>", "plan in YAML or JSON")
    .summary("find the fastest correct variant of every kernel of a plan")
    .description(
      "Compiles, checks and times every variant of every kernel that a plan runs, on each adapter, and\n" +
        "keeps the winners for the runs to come. Then checks the numbers of the plan with them.",
    )
    .addOption(adapterOption())
    .addOption(placementOption())
    .option(
      "--time <duration>",
      "stop after about this long on each adapter, such as 30s",
      duration,
    )
    .option("--json", "print the variants as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench tune plan.yaml
  $ shardbench tune plan.yaml --adapter gpu0 --time 1min`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => tune(file, flags)));
}

async function tune(file: string, flags: Flags): Promise<ExitCode> {
  const { plan } = await soundPlan(file);
  const { adapter, placement, time = Infinity } = flags;
  const [result, { tuneReport }] = await Promise.all([
    execute(plan, {
      ...(adapter === undefined ? {} : { adapter }),
      ...(placement === undefined ? {} : { placement }),
      tune: time,
      numericsOnly: true,
    }),
    import("../report/tune_report.ts"),
  ]);
  if (flags.json === true) {
    const { plan: hashes, adapters, kernels, check, outcome } = result;
    printJson({ plan: hashes, adapters, kernels, check, outcome });
  } else printReports([tuneReport(plan, result)]);
  return exitCodeOfRun(result);
}
