// What an earlier layer read, added.

import { z } from "zod";
import { count } from "../schema_numbers.ts";
import { leavesWhole, type PlanLayer, type TokenwiseBase } from "./layer.ts";
import { parallel } from "./parallel.ts";

/** Adds the input of an earlier layer of the same stage to the current activation. */
export interface ResidualLayer extends TokenwiseBase {
  readonly op: "residual";
  readonly hidden: number;
  /** Index within the stage of the layer whose *input* is added. */
  readonly from: number;
  /** What the current activation is multiplied by. Absent: 1. */
  readonly scale?: number;
}

const schema = z.strictObject({
  op: z.literal("residual"),
  hidden: count,
  from: z.int().nonnegative(),
  scale: z.number().positive().exactOptional(),
  parallel: parallel.exactOptional(),
});

export const residual = {
  schema,
  kinds: ["replicated", "tensor", "data"],
  read: ({ parallel: _, ...rest }, base): ResidualLayer => ({ ...base, ...rest }),
  write: ({ split: _whole, ...sizes }, { gpus, before }) => ({
    ...sizes,
    from: sizes.from - before,
    parallel: { kind: "replicated", gpus },
  }),
  inputWidth: ({ hidden }) => hidden,
  outputWidth: ({ hidden }) => hidden,
  detail: ({ hidden }) => `${hidden}`,
  share: ({ split }) => split ?? "copies",
  leaves: leavesWhole,
  goesWith: () => "last",
  buffers: () => ({}),
} satisfies PlanLayer<ResidualLayer, z.infer<typeof schema>>;
