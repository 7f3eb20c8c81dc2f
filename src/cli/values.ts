// Values of options, parsed and refused with a sentence.

import { InvalidArgumentError } from "commander";

export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`A whole number of at least ${least} is needed.`);
  };

const msPerUnit: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000 };

/** `500ms`, `5s`, `1.5min`, or a bare number of seconds; ms. */
export const duration = (text: string): number => {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)\s*(ms|s|min)?$/.exec(text.trim()) ?? [];
  const factor = msPerUnit[unit];
  if (digits === undefined || factor === undefined || Number(digits) === 0) {
    throw new InvalidArgumentError("A time above zero is needed, such as 500ms, 5s or 1min.");
  }
  return Number(digits) * factor;
};
