// Errors as plain data, to cross from a rank to the coordinator with code and hint.

import { EnvironmentError, type EnvironmentCode } from "../environment_error.ts";

export interface ErrorRecord {
  readonly message: string;
  /** Where in the rank's code it was thrown. */
  readonly stack?: string;
  /** Present on errors of the environment. */
  readonly environment?: { readonly code: EnvironmentCode; readonly hint: string };
}

export function recordError(error: unknown): ErrorRecord {
  if (!(error instanceof Error)) return { message: String(error) };
  return {
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error instanceof EnvironmentError
      ? { environment: { code: error.code, hint: error.hint } }
      : {}),
  };
}
