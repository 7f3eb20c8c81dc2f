// Weights that cannot be read as what they are said to be.

import { EnvironmentError } from "../environment_error.ts";

/** @param what of the file or tensor is wrong, with both numbers where two disagree */
export function refusedWeights(where: string, what: string, hint = usualHint): EnvironmentError {
  return new EnvironmentError("weights-refused", `${where}: ${what}`, hint);
}

const usualHint =
  "download the file again, or convert the weights to safetensors in f32, f16 or bf16";

/** A name that a file gives, as one line of text without what a terminal would act on. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}
