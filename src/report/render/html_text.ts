// Text that is text, in HTML and XML.

import { inert } from "./inert.ts";

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text within an element or a quoted attribute. */
export function htmlText(text: string): string {
  return inert(text).replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}
