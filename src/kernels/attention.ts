import {
  attentionBindings,
  attentionBytes,
  attentionConstants,
  attentionFlops,
  attentionPreludes,
  type AttentionShape,
  valueDimOf,
} from "./attention_shape.ts";
import { attentionShared } from "./attention_shared.ts";
import { attentionSubgroup } from "./attention_subgroup.ts";
import type { Kernel } from "./kernel.ts";
import { ceilDiv } from "./storage.ts";

/** Queries that share the keys and values which a workgroup loads. */
const queriesPerGroup = 32;

/** A lane holds 8 of the queries and 2 quads of the head's values. */
function lanes(valueDim: number): number {
  return (queriesPerGroup / 8) * ceilDiv(valueDim, 8);
}

/** Fused softmax(q · kᵀ · scale) · v with an online softmax; the score matrix is never written. */
export const attention: Kernel<AttentionShape> = {
  name: "attention",
  bindings: attentionBindings,
  preludes: attentionPreludes,
  constants: (shape) => ({ ...attentionConstants(shape), LANES: lanes(valueDimOf(shape)) }),
  grid: ({ batch, sequence, heads }) => [ceilDiv(sequence, queriesPerGroup), heads, batch],
  flops: attentionFlops,
  bytes: attentionBytes,
  alternatives: [attentionSubgroup, attentionShared],
};
