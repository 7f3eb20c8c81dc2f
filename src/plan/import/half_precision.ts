// The type of a mixed-precision job, from the two switches that every tool has for it.

import type { ImportedWorkload } from "./note.ts";

/** Nothing where neither is on. */
export const halfPrecision = (bf16: boolean, fp16: boolean): Pick<ImportedWorkload, "dtype"> =>
  bf16 ? { dtype: "bf16" } : fp16 ? { dtype: "f16" } : {};
