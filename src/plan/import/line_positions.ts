// Lines and columns of a source by the number of characters before them.

import { LineCounter } from "yaml";
import type { Position } from "../diagnostic.ts";
import { positionAt } from "../document.ts";
import { maxPlanCharacters } from "../syntax.ts";
import type { Source } from "./note.ts";

export function linePositions({ name, text }: Source): (offset: number) => Position {
  const whole = text.slice(0, maxPlanCharacters).replaceAll("\r\n", "\n");
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = whole.indexOf("\n"); at >= 0; at = whole.indexOf("\n", at + 1)) {
    lines.addNewLine(at + 1);
  }
  return (offset) => positionAt(name, lines, offset);
}
