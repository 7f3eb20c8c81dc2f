// Writing to the terminal.

import { coloursFor, type Colours } from "../report/colour.ts";

export const printLines = (lines: readonly string[]): void => {
  process.stdout.write(`${lines.join("\n")}\n`);
};

export const printErrorLines = (lines: readonly string[]): void => {
  process.stderr.write(`${lines.join("\n")}\n`);
};

export const printJson = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
};

export const outputColours = (): Colours => coloursFor(process.stdout, process.env);

export const errorColours = (): Colours => coloursFor(process.stderr, process.env);
