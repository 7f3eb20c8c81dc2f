import { plain } from "../../src/report/render/color.ts";
import { terminalLines } from "../../src/report/render/terminal.ts";
import type { Report, Section } from "../../src/report/section.ts";

/** As a terminal without color shows it. */
export function shown(report: Report): string[] {
  return terminalLines(report, plain);
}

/** Without its title. */
export function shownBlocks({ blocks }: Section): string[] {
  return shown({ sections: [{ blocks }] });
}
