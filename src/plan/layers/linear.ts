// A matrix product with an activation.

import { z } from "zod";
import { activations, type NetworkActivation } from "../activation.ts";
import type { LinearSplit } from "../groups.ts";
import { count } from "../schema_numbers.ts";
import { isOnOneGpu, type LayerBase, leftBySplit, type PlanLayer, shareOfSplit } from "./layer.ts";
import { parallel, splitOf } from "./parallel.ts";

export interface LinearLayer extends LayerBase {
  readonly op: "linear";
  readonly in: number;
  readonly out: number;
  readonly split: LinearSplit;
  readonly activation: "none" | "softcap" | NetworkActivation;
  /** Of `softcap`, which is cap · tanh(x / cap). */
  readonly cap?: number;
  /** Its products are multiplied by it. Absent: 1. */
  readonly scale?: number;
  readonly bias?: boolean;
  /** Its weights are the transposed table of the plan's embedding, held once where a rank has the same of both. */
  readonly tied?: true;
}

const schema = z
  .strictObject({
    op: z.literal("linear"),
    in: count,
    out: count,
    activation: z.enum(["none", "softcap", ...activations]).exactOptional(),
    cap: z.number().positive().exactOptional(),
    scale: z.number().positive().exactOptional(),
    bias: z.boolean().exactOptional(),
    parallel,
  })
  .refine(({ activation, cap }) => (activation === "softcap") === (cap !== undefined), {
    path: ["cap"],
    message: "stands beside softcap, and beside nothing else",
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
  buffers: (layer, members) => ({
    weights: [(layer.in * layer.out) / (layer.split === "replicated" ? 1 : members)],
  }),
} satisfies PlanLayer<LinearLayer, z.infer<typeof schema>>;
