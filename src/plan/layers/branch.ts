// Goes on from an earlier point of its stage.

import { z } from "zod";
import { count } from "../schema_numbers.ts";
import { leavesWhole, type PlanLayer, type TokenwiseBase } from "./layer.ts";
import { parallel } from "./parallel.ts";

/**
 * What comes next reads what came before an earlier layer of the same stage, as where attention and MLP stand side by
 * side. What the layer before gave is left for a residual, whose `from` names the branch.
 */
export interface BranchLayer extends TokenwiseBase {
  readonly op: "branch";
  readonly hidden: number;
  /** Index within the stage of the layer whose *input* is read again. */
  readonly from: number;
}

const schema = z.strictObject({
  op: z.literal("branch"),
  hidden: count,
  from: z.int().nonnegative(),
  parallel: parallel.exactOptional(),
});

export const branch = {
  schema,
  kinds: ["replicated", "tensor", "data"],
  read: ({ parallel: _, ...rest }, base): BranchLayer => ({ ...base, ...rest }),
  write: ({ split: _whole, ...sizes }, { gpus, before }) => ({
    ...sizes,
    from: sizes.from - before,
    parallel: { kind: "replicated", gpus },
  }),
  inputWidth: () => undefined,
  outputWidth: ({ hidden }) => hidden,
  detail: ({ from }) => `from layer ${from}`,
  share: ({ split }) => split ?? "copies",
  leaves: leavesWhole,
  goesWith: () => "next",
  buffers: () => ({}),
} satisfies PlanLayer<BranchLayer, z.infer<typeof schema>>;
