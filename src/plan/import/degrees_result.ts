// The degrees that sources give together, and how what is wrong with them is told.

import type { Diagnostic } from "../diagnostic.ts";
import type { PlanFile } from "../schema.ts";
import type { Layout } from "./note.ts";

export interface DegreesResult {
  readonly tensor: number;
  readonly pipeline: number;
  readonly data: number;
  readonly expert: number;
  readonly gpus: number;
  /** What the plan says of parallelism beside the four degrees. */
  readonly more: Partial<NonNullable<PlanFile["parallel"]>>;
  /** Paths of plan values that no source gives. */
  readonly assumed: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

export type Say = (
  severity: Diagnostic["severity"],
  code: string,
  key: keyof Layout,
  message: string,
  hint: string,
) => void;
