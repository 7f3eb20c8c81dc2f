// shardbench check: is the plan sound, and if not, can it be mended?

import type { Command } from "commander";
import { terminalLines } from "../report/render/terminal.ts";
import { checkReport } from "../report/check_report.ts";
import { inspectPlan, repairAdvice, type Inspected } from "./bad_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { outputColors, printedDiagnostic, printJson, printLines } from "./output.ts";

interface Flags {
  readonly repair?: boolean;
  readonly output?: string;
  readonly write?: boolean;
  readonly json?: boolean;
  readonly sarif?: boolean;
}

export function defineCheck(program: Command): void {
  program
    .command("check")
    .argument("<file>", "plan in YAML or JSON")
    .summary("say what is wrong with a plan, and mend it")
    .description(
      "Checks a plan against every rule and shows the load of each GPU; needs no adapter.\n" +
        "With --repair prints a corrected plan, or writes it with -o; no file is overwritten\n" +
        "without --write.",
    )
    .option("--repair", "correct what can be corrected")
    .option("-o, --output <file>", "where the corrected plan goes")
    .option("--write", "overwrite: the file of -o, or the plan itself")
    .option("--json", "print the findings as JSON")
    .option("--sarif", "print the findings as SARIF 2.1.0, for a code host to show")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench check plan.yaml
  $ shardbench check plan.json --repair > corrected.json
  $ shardbench check plan.json --repair -o corrected.json`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => check(file, flags)));
}

async function check(file: string, flags: Flags): Promise<ExitCode> {
  const inspected = await inspectPlan(file);
  if (flags.repair === true) {
    const { repairFile } = await import("./repair_file.ts");
    return repairFile(file, inspected, flags);
  }
  if (flags.sarif === true) {
    const { sarifLog } = await import("../report/render/sarif.ts");
    printJson(sarifLog(inspected.diagnostics, file));
  } else if (flags.json === true) await printFindings(inspected);
  else printLines(await findings(inspected));
  return isSound(inspected) ? exitCodes.fine : exitCodes.badPlan;
}

function isSound({ plan, diagnostics }: Inspected): boolean {
  return plan !== undefined && diagnostics.every(({ severity }) => severity !== "error");
}

async function findings(inspected: Inspected): Promise<string[]> {
  const { claimsOpen } = await import("../check/rules/claims/claim_refuted.ts");
  return [
    ...terminalLines(checkReport(inspected), outputColors()),
    ...(inspected.diagnostics.some(({ code }) => code === claimsOpen.code)
      ? [`What open claims need: \`shardbench claims ${inspected.document.file}\``]
      : []),
    ...(isSound(inspected) ? [] : await repairAdvice(inspected)),
  ];
}

async function printFindings({ plan, diagnostics, estimate }: Inspected): Promise<void> {
  const { loadPerGpu } = await import("../program/load_per_gpu.ts");
  printJson({
    ...(plan === undefined ? {} : { plan: plan.name }),
    ...(plan === undefined || estimate === undefined ? {} : { load: loadPerGpu(plan, estimate) }),
    diagnostics: diagnostics.map(printedDiagnostic),
  });
}
