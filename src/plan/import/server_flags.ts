// Flags that servers of models share, however they call them.

import { dtypeNames, shortDtype } from "../dtype_names.ts";
import type { CommandFlags } from "./command_flags.ts";
import { type ImportedWorkload, shown } from "./note.ts";

/** Of `--dtype`; undefined where the model's config decides. Anything else is reported. */
export function serverDtype(flags: CommandFlags): ImportedWorkload["dtype"] {
  const written = flags.text("--dtype");
  if (written === undefined || written === "auto") return undefined;
  const dtype = shortDtype(written);
  if (dtype === undefined) {
    const message = `--dtype must be one of auto, ${dtypeNames.join(", ")}, found ${shown(written)}`;
    flags.report("error", "invalid-value", message, "--dtype");
  }
  return dtype;
}

/** The most requests at once stand for the batch, which is said. */
export function batchFromLimit(flags: CommandFlags, flag: string): number | undefined {
  const limit = flags.count(flag);
  if (limit !== undefined) {
    const message = "the batch is the most requests that the server holds at once";
    flags.report("info", "batch-from-limit", message, flag);
  }
  return limit;
}

/** Slices of each expert where `expert` of the tensor ranks hold them all; a degree that does not divide is reported. */
export function slicesOfExperts(
  flags: CommandFlags,
  tensor: number,
  expert: number | undefined,
): number {
  if (expert === undefined) return tensor;
  if (tensor % expert !== 0) {
    const message = `experts in ${expert} parts do not divide the tensor group of ${tensor}`;
    flags.report("error", "degrees-contradict", message, "--expert-parallel-size");
  }
  return Math.max(1, Math.floor(tensor / expert));
}

/** Attention in groups of the tensor ranks, where all other layers are those of the whole tensor group. */
export function reportDividedAttention(
  flags: CommandFlags,
  groups: number,
  tensor: number,
  flag: string,
): void {
  const message = `attention is divided among ${groups} groups; dense layers and the vocabulary, which all ${tensor} GPUs share, are held by each group in the plan`;
  flags.report("warning", "dp-attention-dense-not-expressible", message, flag);
}
