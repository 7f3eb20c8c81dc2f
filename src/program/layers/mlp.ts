// A dense feed-forward layer: up (and gate) column-parallel, down row-parallel (partial sums).

import type { MlpLayer } from "../../plan/plan.ts";
import type { Share, Value } from "../value.ts";
import { outputValue, type LayerContext } from "./context.ts";
import { linearShare } from "./linear.ts";

export const lowerMlp = (context: LayerContext, layer: MlpLayer, input: Value): Value =>
  outputValue(context, input, layer.hidden, (share) => feedForwardShare(context, share, layer, ""));

/**
 * One tensor group's feed-forward network: partial sums.
 *
 * @param part distinguishes it from others of the same layer; "" or with a slash at its end
 */
export const feedForwardShare = (
  context: LayerContext,
  share: Share,
  { hidden, ffn, activation }: Pick<MlpLayer, "hidden" | "ffn" | "activation">,
  part: string,
): Share => {
  const wide = { in: hidden, out: ffn, split: "column" } as const;
  const gated = activation === "silu";
  const up = linearShare(context, share, {
    ...wide,
    part: `${part}up/`,
    activation: gated ? "none" : "gelu",
  });
  const inner = gated
    ? linearShare(context, share, {
        ...wide,
        part: `${part}gate/`,
        activation: "silu",
        gate: up.buffer,
      })
    : up;
  return linearShare(context, inner, {
    part: `${part}down/`,
    in: ffn,
    out: hidden,
    split: "row",
    activation: "none",
    isLast: true,
  });
};
