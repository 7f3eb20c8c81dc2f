// Color on a terminal, none in a pipe.

import { styleText } from "node:util";
import type { Tone } from "../section.ts";

export type Colors = Readonly<Record<Exclude<Tone, "plain" | "code">, (text: string) => string>>;

type Style = Parameters<typeof styleText>[0];

function painted(style: Style) {
  return (text: string): string =>
    // Whether to color at all was decided already; Node need not ask the stream again.
    styleText(style, text, { validateStream: false });
}

const colored: Colors = {
  good: painted("green"),
  bad: painted("red"),
  doubtful: painted("yellow"),
  faint: painted("dim"),
  strong: painted("bold"),
};

function same(text: string): string {
  return text;
}

export const plain: Colors = { good: same, bad: same, doubtful: same, faint: same, strong: same };

export function paint(text: string, tone: Tone, colors: Colors): string {
  return tone === "plain" || tone === "code" ? text : colors[tone](text);
}

/** NO_COLOR wins, then FORCE_COLOR (0 is off), then whether the stream is a terminal. */
export function colorsFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Colors {
  const { NO_COLOR: never, FORCE_COLOR: always, TERM: terminal } = env;
  if (never !== undefined && never !== "") return plain;
  if (always !== undefined && always !== "") return always === "0" ? plain : colored;
  return stream.isTTY === true && terminal !== "dumb" ? colored : plain;
}
