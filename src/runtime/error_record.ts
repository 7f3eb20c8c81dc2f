// Errors as plain data, to cross from a rank to the coordinator as what they were.

import { EnvironmentError, type EnvironmentCode } from "../environment_error.ts";
import { NumericsError } from "../numerics_error.ts";

export interface ErrorRecord {
  readonly message: string;
  /** Where in the rank's code it was thrown. */
  readonly stack?: string;
  /** Present on errors of the environment. */
  readonly environment?: { readonly code: EnvironmentCode; readonly hint: string };
  /** Present on wrong numbers. */
  readonly numerics?: { readonly error: number; readonly tolerance: number };
}

export function recordError(thrown: unknown): ErrorRecord {
  if (!(thrown instanceof Error)) return { message: String(thrown) };
  const { message, stack } = thrown;
  const record = { message, ...(stack === undefined ? {} : { stack }) };
  if (thrown instanceof EnvironmentError) {
    return { ...record, environment: { code: thrown.code, hint: thrown.hint } };
  }
  if (thrown instanceof NumericsError) {
    return { ...record, numerics: { error: thrown.error, tolerance: thrown.tolerance } };
  }
  return record;
}

/** The error again, of its own class, in other words. */
export function revive(record: ErrorRecord, message: string): Error {
  const { environment, numerics, stack } = record;
  if (environment !== undefined) {
    return new EnvironmentError(environment.code, message, environment.hint);
  }
  if (numerics !== undefined) return new NumericsError(message, numerics.error, numerics.tolerance);
  const error = new Error(message);
  // Where it was thrown is worth more than where it was heard of.
  if (stack !== undefined) error.stack = `Error: ${message}\n${stack}`;
  return error;
}
