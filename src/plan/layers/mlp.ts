// A feed-forward layer: column then row.

import { z } from "zod";
import { count } from "../schema_numbers.ts";
import { type LayerBase, leavesSum, type PlanLayer } from "./layer.ts";
import { parallel } from "./parallel.ts";

/** Column then row, all-reduce. */
export interface MlpLayer extends LayerBase {
  readonly op: "mlp";
  readonly hidden: number;
  readonly ffn: number;
  /** gelu: two matrices; silu: gated, three. */
  readonly activation: "gelu" | "silu";
}

const schema = z.strictObject({
  op: z.literal("mlp"),
  hidden: count,
  ffn: count,
  activation: z.enum(["gelu", "silu"]).exactOptional(),
  parallel,
});

export const mlp = {
  schema,
  kinds: ["tensor", "data"],
  read: ({ parallel: _, ...rest }, base): MlpLayer => ({ ...base, activation: "gelu", ...rest }),
  write: (layer, { gpus }) => ({ ...layer, parallel: { kind: "tensor", gpus } }),
  inputWidth: ({ hidden }) => hidden,
  outputWidth: ({ hidden }) => hidden,
  detail: ({ hidden, ffn }) => `${hidden} ↔ ${ffn}`,
  share: () => "inner",
  leaves: leavesSum,
  mixes: "channels",
  buffers: ({ hidden, ffn }, members, rows) => [(hidden * ffn) / members, (rows * ffn) / members],
} satisfies PlanLayer<MlpLayer, z.infer<typeof schema>>;
