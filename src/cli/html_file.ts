// A report as a page, where a command is asked for one.

import type { Report } from "../report/section.ts";
import { printErrorLines, printLines } from "./output.ts";
import { writeText } from "./write_text.ts";

/**
 * Says where it is.
 *
 * @param isJson whether standard output is JSON
 */
export async function writePage(
  file: string,
  report: Report,
  overwrite: boolean,
  isJson = false,
): Promise<void> {
  const { htmlPage } = await import("../report/render/html_page.ts");
  await writeText(file, htmlPage(report), overwrite);
  (isJson ? printErrorLines : printLines)([`Report: ${file}`]);
}
