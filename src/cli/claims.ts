// shardbench claims: what becomes of a plan's claims without a run, and what each needs.

import type { Command } from "commander";
import type { Diagnostic } from "../plan/diagnostic.ts";
import { BadPlan } from "./bad_plan.ts";
import { countedPlan } from "./counted_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { printJson, printReports } from "./output.ts";

interface Flags {
  readonly definitions?: boolean;
  readonly json?: boolean;
}

export function defineClaims(program: Command): void {
  program
    .command("claims")
    .argument("[file]", "plan in YAML or JSON")
    .summary(
      "say which claims hold, which cannot, and what the others need; exit 3 when one is refuted",
    )
    .description(
      "Judges a plan's claims without running it: by bounds that no run can pass, by the plan's own\n" +
        "split and memory, and against each other. A claim that nothing decides here is told with what\n" +
        "would have to be true for it to hold. Needs no adapter.",
    )
    .option("--definitions", "what each claim means, its formula, and when it counts as kept")
    .option("--json", "print the verdicts as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench claims plan.yaml
  $ shardbench claims --definitions`,
    )
    .action((file: string | undefined, flags: Flags, command: Command) => {
      if (file === undefined && flags.definitions !== true) command.error("error: name a plan");
      return guarded(flags.json, () => claims(file, flags));
    });
}

function isOnGpu({ severity, path }: Diagnostic): boolean {
  return severity === "error" && path[0] === "hardware" && path[1] === "gpu";
}

async function claims(file: string | undefined, flags: Flags): Promise<ExitCode> {
  if (file === undefined) {
    const [{ claimTable }, { definitionsReport }] = await Promise.all([
      import("../claims/table.ts"),
      import("../report/definitions_report.ts"),
    ]);
    if (flags.json === true) printJson({ claims: claimTable });
    else printReports([definitionsReport(claimTable)]);
    return exitCodes.fine;
  }
  const counted = await countedPlan(file);
  const { plan, diagnostics, verdicts = [] } = counted;
  // Of a GPU that is not known there are no figures to hold a claim against.
  if (diagnostics.some(isOnGpu)) throw new BadPlan(counted);
  const { claimsReport } = await import("../report/claims_report.ts");
  if (flags.json === true) printJson({ plan: plan.name, verdicts });
  else printReports([claimsReport(plan, verdicts)]);
  return verdicts.some(({ judgement }) => judgement === "refuted")
    ? exitCodes.claimRefuted
    : exitCodes.fine;
}
