// RMS norm or layer norm.

import { z } from "zod";
import { count } from "../schema_numbers.ts";
import { leavesWhole, type PlanLayer, type TokenwiseBase } from "./layer.ts";
import { parallel } from "./parallel.ts";

export interface NormLayer extends TokenwiseBase {
  readonly op: "norm";
  readonly norm: "rms" | "layer";
  readonly hidden: number;
  readonly epsilon: number;
  /** Of a layer norm: whether it has a bias. Absent: it has. */
  readonly bias?: boolean;
  /** Checkpoints hold the gain less 1, so 1 is added to what is read of one. Gains made from the seed are around 1 anyway. */
  readonly unitOffset?: boolean;
}

export function isBiasedNorm({ norm, bias }: Pick<NormLayer, "norm" | "bias">): boolean {
  return norm === "layer" && bias !== false;
}

const schema = z.strictObject({
  op: z.literal("norm"),
  hidden: count,
  norm: z.enum(["rms", "layer"]).exactOptional(),
  epsilon: z.number().positive().exactOptional(),
  bias: z.boolean().exactOptional(),
  unitOffset: z.boolean().exactOptional(),
  parallel: parallel.exactOptional(),
});

export const norm = {
  schema,
  kinds: ["replicated", "tensor", "data"],
  read: ({ parallel: _, ...rest }, base): NormLayer => ({
    ...base,
    norm: "rms",
    epsilon: 1e-5,
    ...rest,
  }),
  write: ({ split: _whole, ...sizes }, { gpus }) => ({
    ...sizes,
    parallel: { kind: "replicated", gpus },
  }),
  inputWidth: ({ hidden }) => hidden,
  outputWidth: ({ hidden }) => hidden,
  detail: ({ hidden }) => `${hidden}`,
  share: ({ split }) => split ?? "copies",
  leaves: leavesWhole,
  // Of split tokens, what it leaves is gathered before the next.
  goesWith: ({ split }) => (split === "tokens" ? undefined : "next"),
  buffers: () => ({}),
} satisfies PlanLayer<NormLayer, z.infer<typeof schema>>;
