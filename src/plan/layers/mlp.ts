// A feed-forward layer: column then row.

import { z } from "zod";
import { activations, networkOf, type NetworkActivation } from "../activation.ts";
import { count } from "../schema_numbers.ts";
import { type LayerBase, leavesSum, type PlanLayer } from "./layer.ts";
import { parallel } from "./parallel.ts";

/** Column then row, all-reduce. */
export interface MlpLayer extends LayerBase {
  readonly op: "mlp";
  readonly hidden: number;
  readonly ffn: number;
  readonly activation: NetworkActivation;
  /** The activation is of a third matrix's product, which the first's is multiplied by. */
  readonly gated: boolean;
  /** Of every matrix. Absent: none. */
  readonly bias?: boolean;
}

const schema = z.strictObject({
  op: z.literal("mlp"),
  hidden: count,
  ffn: count,
  activation: z.enum(activations).exactOptional(),
  /** Default: with silu. */
  gated: z.boolean().exactOptional(),
  bias: z.boolean().exactOptional(),
  parallel,
});

export const mlp = {
  schema,
  kinds: ["tensor", "data"],
  read({ parallel: _, ...rest }, base): MlpLayer {
    return { ...base, ...networkOf(rest), ...rest };
  },
  write: (layer, { gpus }) => ({ ...layer, parallel: { kind: "tensor", gpus } }),
  inputWidth: ({ hidden }) => hidden,
  outputWidth: ({ hidden }) => hidden,
  detail: ({ hidden, ffn }) => `${hidden} ↔ ${ffn}`,
  share: () => "inner",
  leaves: leavesSum,
  mixes: "channels",
  buffers: ({ hidden, ffn }, members, rows) => ({
    weights: [(hidden * ffn) / members],
    activations: [(rows * ffn) / members],
  }),
} satisfies PlanLayer<MlpLayer, z.infer<typeof schema>>;
