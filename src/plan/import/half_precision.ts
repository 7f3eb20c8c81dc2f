// The type of a mixed-precision job, from the two switches that every tool has for it.

import type { CommandFlags } from "./command_flags.ts";
import type { ImportedWorkload } from "./note.ts";

/** Of `--bf16` and `--fp16`; that both are given is reported. */
export function halfPrecisionOf(flags: CommandFlags): Pick<ImportedWorkload, "dtype"> {
  const [bf16, fp16] = [flags.has("--bf16"), flags.has("--fp16")];
  if (bf16 && fp16) {
    const message = "--fp16 and --bf16 exclude each other";
    flags.report("error", "precisions-contradict", message, "--fp16", "keep one of the two");
  }
  return halfPrecision(bf16, fp16);
}

/** Nothing where neither is on. */
export function halfPrecision(bf16: boolean, fp16: boolean): Pick<ImportedWorkload, "dtype"> {
  return bf16 ? { dtype: "bf16" } : fp16 ? { dtype: "f16" } : {};
}
