// Values of options, parsed and refused with a sentence.

import { InvalidArgumentError } from "commander";
import { parseBytes } from "../plan/quantity.ts";

export function wholeNumber(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`A whole number of at least ${least} is needed.`);
  };
}

/** `128,512`: ascending, each once. */
export function wholeNumbers(least: number) {
  const one = wholeNumber(least);
  return (text: string): number[] =>
    [...new Set(text.split(",").map((each) => one(each)))].toSorted((a, b) => a - b);
}

const msPerUnit: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, min: 60_000 };

/** `10us`, `500ms`, `5s`, `1.5min`, or a bare number of seconds; ms. */
export function duration(text: string): number {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)\s*(us|ms|s|min)?$/.exec(text.trim()) ?? [];
  const factor = msPerUnit[unit];
  if (digits === undefined || factor === undefined || Number(digits) === 0) {
    throw new InvalidArgumentError("A time above zero is needed, such as 500ms, 5s or 1min.");
  }
  return Number(digits) * factor;
}

const bytesPerUnit: Readonly<Record<string, number>> = {
  "": 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
};

/** `8`, `32K`, `256M`, `1G`: bytes, in powers of 1,024 as nccl-tests takes them. */
export function byteSize(text: string): number {
  const [, digits, unit = ""] = /^(\d+)\s*([KMG]?)B?$/i.exec(text.trim()) ?? [];
  const factor = bytesPerUnit[unit.toUpperCase()];
  const bytes = Number(digits) * (factor ?? Number.NaN);
  if (Number.isSafeInteger(bytes) && bytes >= 4) return bytes;
  throw new InvalidArgumentError("A size of at least 4 bytes is needed, such as 8, 32K or 256M.");
}

/** `8GB`, `512MiB`, or a bare number of bytes. */
export function byteQuantity(text: string): number {
  const bytes = parseBytes(text) ?? Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new InvalidArgumentError("A size in bytes is needed, such as 8GB or 512MiB.");
}

export function oneOf<Value extends string>(choices: readonly Value[]) {
  return (text: string): Value => {
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(", ")}.`);
  };
}
