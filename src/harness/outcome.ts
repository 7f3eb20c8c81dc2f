// How a job ended that broke off, as its result tells it.

import { EnvironmentError } from "../environment_error.ts";
import type { Outcome } from "../result/result.ts";

/** Throws what is no fault of the environment. */
export function outcomeOf(error: unknown): Exclude<Outcome, { state: "complete" }> {
  if (!(error instanceof EnvironmentError)) throw error;
  const { code, message, hint } = error;
  return code === "interrupted"
    ? { state: "interrupted" }
    : { state: "fault", code, message, hint };
}
