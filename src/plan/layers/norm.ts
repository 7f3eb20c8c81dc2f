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
}

const schema = z.strictObject({
  op: z.literal("norm"),
  hidden: count,
  norm: z.enum(["rms", "layer"]).exactOptional(),
  epsilon: z.number().positive().exactOptional(),
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
  buffers: () => [],
} satisfies PlanLayer<NormLayer, z.infer<typeof schema>>;
