// An error of the machine, with its way out.

import { note, paragraph, type Report } from "./section.ts";

export function errorReport(message: string, hint: string): Report {
  return { sections: [{ blocks: [paragraph(message, "bad"), note(`→ ${hint}`, "plain")] }] };
}
