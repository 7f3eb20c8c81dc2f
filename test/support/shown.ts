import { plain } from "../../src/report/render/color.ts";
import { terminalLines } from "../../src/report/render/terminal.ts";
import type { Report, Section } from "../../src/report/section.ts";

/** As a terminal without color shows it. */
export const shown = (report: Report): string[] => terminalLines(report, plain);

/** Without its title. */
export const shownBlocks = ({ blocks }: Section): string[] => shown({ sections: [{ blocks }] });
