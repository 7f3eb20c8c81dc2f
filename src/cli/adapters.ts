// shardbench adapters: what there is to run on.

import type { Command } from "commander";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { printJson, printReports } from "./output.ts";

interface Flags {
  readonly json?: boolean;
}

export function defineAdapters(program: Command): void {
  program
    .command("adapters")
    .summary("list the adapters of this machine")
    .description(
      "Lists every adapter that opens here, in the order of preference, with its features and limits.",
    )
    .option("--json", "print the adapters as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench adapters
  $ shardbench adapters --json`,
    )
    .action((flags: Flags) => guarded(flags.json, () => adapters(flags)));
}

async function adapters({ json }: Flags): Promise<ExitCode> {
  const [{ discoverAdapters }, { adaptersReport }] = await Promise.all([
    import("../gpu/discover.ts"),
    import("../report/adapters_report.ts"),
  ]);
  const { adapters: found, refused } = await discoverAdapters();
  if (json === true) printJson({ adapters: found, refused });
  else printReports([adaptersReport(found, refused)]);
  return found.length === 0 ? exitCodes.environment : exitCodes.fine;
}
