// Writing to the terminal.

import type { Diagnostic } from "../plan/diagnostic.ts";
import { colorsFor, type Colors, plain } from "../report/render/color.ts";
import { terminalLines } from "../report/render/terminal.ts";
import type { Report } from "../report/section.ts";
import { inertJson, inertLine, inertPlanText } from "../report/render/inert.ts";
import { exitCodes } from "./exit_code.ts";

/**
 * A reader that has seen enough, such as `head`, and a terminal that was closed are no fault, and end nothing. Output
 * that gets lost otherwise, as on a full disk, is said once; the process then ends with 2.
 */
export function heedLostOutput(): void {
  let isLost = false;
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (isLost || code === "EPIPE" || code === "EIO") return;
    isLost = true;
    printErrorLines([`cannot write to standard output: ${message}`]);
    process.on("exit", () => {
      process.exitCode = exitCodes.environment;
    });
  });
  process.stderr.on("error", () => {});
}

export function printText(text: string): void {
  process.stdout.write(text);
}

/** Whatever a plan or a result says in them, they are lines of text and nothing else. */
export function printLines(lines: readonly string[]): void {
  printText(textOf(lines, outputColors()));
}

function textOf(lines: readonly string[], colors: Colors): string {
  return lines.map((line) => `${inertLine(line, colors !== plain)}\n`).join("");
}

export function printErrorLines(lines: readonly string[]): void {
  process.stderr.write(textOf(lines, errorColors()));
}

/** One after the other. */
export function printReports(reports: readonly Report[]): void {
  const colors = outputColors();
  const width = widthOf(process.stdout);
  printLines(
    reports.flatMap((each, i) => [...(i === 0 ? [] : [""]), ...terminalLines(each, colors, width)]),
  );
}

export function printErrorReport(report: Report): void {
  printErrorLines(terminalLines(report, errorColors(), widthOf(process.stderr)));
}

export function printJson(value: unknown): void {
  printText(`${inertJson(JSON.stringify(value, null, 2))}\n`);
}

/** A diagnostic as `--json` gives it: what repairs read is no part of the format. */
export function printedDiagnostic({ found: _, ...printed }: Diagnostic): Diagnostic {
  return printed;
}

/** A plan that is to be read as a file. Says so where what was printed is not letter for letter what it holds. */
export function printPlanText(text: string): void {
  const shown = inertPlanText(text);
  printText(shown);
  if (shown === text) return;
  printErrorLines([
    "Characters that a terminal would act on are escaped; -o FILE writes them as they are.",
  ]);
}

const leastWidth = 80;
const mostWidth = 160;

/** Columns of a terminal; of anything else as many as everything fits. */
function widthOf({ isTTY, columns }: Pick<NodeJS.WriteStream, "isTTY" | "columns">): number {
  return isTTY ? Math.max(leastWidth, Math.min(mostWidth, columns)) : leastWidth;
}

export function outputColors(): Colors {
  return colorsFor(process.stdout, process.env);
}

export function errorColors(): Colors {
  return colorsFor(process.stderr, process.env);
}
