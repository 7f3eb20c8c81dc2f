// A matrix product with an activation.

import { z } from "zod";
import type { LinearSplit } from "../groups.ts";
import { count } from "../schema_numbers.ts";
import { isOnOneGpu, type LayerBase, leftBySplit, type PlanLayer, shareOfSplit } from "./layer.ts";
import { parallel, splitOf } from "./parallel.ts";

export interface LinearLayer extends LayerBase {
  readonly op: "linear";
  readonly in: number;
  readonly out: number;
  readonly split: LinearSplit;
  readonly activation: "none" | "gelu" | "silu" | "relu";
  readonly bias?: boolean;
  /** Its weights are the transposed table of the plan's embedding, held once where a rank has the same of both. */
  readonly tied?: true;
}

const schema = z.strictObject({
  op: z.literal("linear"),
  in: count,
  out: count,
  activation: z.enum(["none", "gelu", "silu", "relu"]).exactOptional(),
  bias: z.boolean().exactOptional(),
  parallel,
});

export const linear = {
  schema,
  kinds: ["column", "row", "replicated", "data"],
  read: ({ parallel: placed, ...rest }, base): LinearLayer => ({
    ...base,
    activation: "none",
    ...rest,
    split: splitOf(placed),
  }),
  write: ({ split, tied: _own, ...sizes }, place) => ({
    ...sizes,
    parallel: { kind: isOnOneGpu(place) ? "replicated" : split, gpus: place.gpus },
  }),
  inputWidth: (layer) => layer.in,
  outputWidth: (layer) => layer.out,
  detail: (layer) => `${layer.in} → ${layer.out}`,
  share: ({ split }) => shareOfSplit[split],
  leaves: ({ split }) => leftBySplit[split],
  takes: ({ split }) => (split === "row" ? "columns" : undefined),
  inModel: (field) => [field === "out" ? "vocabulary" : "hidden"],
  called: "the LM head",
  buffers: (layer, members) => [
    (layer.in * layer.out) / (layer.split === "replicated" ? 1 : members),
  ],
} satisfies PlanLayer<LinearLayer, z.infer<typeof schema>>;
