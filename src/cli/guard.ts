// Runs a command and turns how it ended into an exit code: the one place that sets it.

import { EnvironmentError } from "../environment_error.ts";
import { NumericsError } from "../numerics_error.ts";
import { terminalLines } from "../report/render/terminal.ts";
import { checkReport } from "../report/check_report.ts";
import { errorReport } from "../report/error_report.ts";
import { BadPlan, repairAdvice } from "./bad_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { errorColors, printedDiagnostic, printErrorLines, printJson } from "./output.ts";

/** @param json whether the command was asked for JSON, which then also says what went wrong */
export async function guarded(
  json: boolean | undefined,
  command: () => Promise<ExitCode>,
): Promise<void> {
  try {
    process.exitCode = await command();
  } catch (error) {
    process.exitCode = await tell(error);
    if (json === true) printJson({ error: describe(error) });
  }
}

/** Says what went wrong on standard error. */
export async function tell(error: unknown): Promise<ExitCode> {
  printErrorLines(await explain(error));
  return exitCodeOf(error);
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof BadPlan) return exitCodes.badPlan;
  if (error instanceof NumericsError) return exitCodes.wrongNumerics;
  if (!(error instanceof EnvironmentError)) return exitCodes.bug;
  return error.code === "interrupted" ? exitCodes.interrupted : exitCodes.environment;
}

async function explain(error: unknown): Promise<string[]> {
  const colors = errorColors();
  if (error instanceof BadPlan) {
    const errors = error.diagnostics.filter(({ severity }) => severity === "error");
    return [
      ...terminalLines(checkReport({ diagnostics: errors }), colors),
      ...(await repairAdvice(error)),
    ];
  }
  if (error instanceof NumericsError) {
    const hint =
      "nothing was timed; please report the plan and the output of `shardbench adapters`";
    return terminalLines(errorReport(`Wrong numbers: ${error.message}`, hint), colors);
  }
  if (error instanceof EnvironmentError) {
    return terminalLines(errorReport(`${error.code}: ${error.message}`, error.hint), colors);
  }
  return [
    colors.bad("This is a bug in shardbench; please report it with the plan that shows it."),
    ...(error instanceof Error ? (error.stack ?? error.message) : String(error)).split("\n"),
  ];
}

function describe(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof BadPlan)
    return { code: "bad-plan", diagnostics: error.diagnostics.map(printedDiagnostic) };
  if (error instanceof NumericsError) {
    const { message, error: found, tolerance } = error;
    return { code: "wrong-numerics", message, error: found, tolerance };
  }
  if (error instanceof EnvironmentError) {
    const { code, message, hint } = error;
    return { code, message, hint };
  }
  return { code: "bug", message: error instanceof Error ? error.message : String(error) };
}
