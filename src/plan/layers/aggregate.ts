// A mean over rows.

import { z } from "zod";
import { type LayerBase, leavesWhole, type PlanLayer } from "./layer.ts";
import { parallel } from "./parallel.ts";

/** Mean over the tokens of each sample, or over all rows of a micro-batch. */
export interface AggregateLayer extends LayerBase {
  readonly op: "aggregate";
  readonly over: "sequence" | "batch";
}

const schema = z.strictObject({
  op: z.literal("aggregate"),
  over: z.enum(["sequence", "batch"]).exactOptional(),
  parallel: parallel.exactOptional(),
});

export const aggregate = {
  schema,
  kinds: ["replicated", "tensor", "data"],
  read: ({ parallel: _, ...rest }, base): AggregateLayer => ({
    ...base,
    over: "sequence",
    ...rest,
  }),
  write: (layer, { gpus }) => ({ ...layer, parallel: { kind: "replicated", gpus } }),
  inputWidth: () => undefined,
  outputWidth: () => undefined,
  detail: ({ over }) => `mean of ${over}`,
  share: () => "columns",
  leaves: leavesWhole,
  // A tensor group divides the columns anyway; means of replicas are summed whole.
  takes: ({ over, groups }) => (over === "batch" && groups.length > 1 ? undefined : "columns"),
  aggregates: ({ over }) => over,
  buffers: () => ({}),
} satisfies PlanLayer<AggregateLayer, z.infer<typeof schema>>;
