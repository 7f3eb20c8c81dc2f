// What the check says about a plan.

export type Severity = "error" | "warning" | "info";

export interface Diagnostic {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly severity: Severity;
  /** Keys and indices from the root of the file to the value. */
  readonly path: readonly (string | number)[];
  /** What was found and what is required. */
  readonly message: string;
  /** How to mend it. */
  readonly hint?: string;
  /** What was found as data, for repairs: the code's definition says which. */
  readonly found?: unknown;
  /** Where in the file; lines and columns count from 1. Absent for plans that were not read from text. */
  readonly position?: Position;
}

export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}
