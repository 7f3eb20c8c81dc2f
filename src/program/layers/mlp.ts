// A dense feed-forward layer: up (and gate) column-parallel, down row-parallel (partial sums).

import type { MlpLayer } from "../../plan/plan.ts";
import type { Share, Value } from "../value.ts";
import { declareActivation, outputValue, type LayerContext } from "./context.ts";
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
  const { builder, origin } = context;
  const gated = activation === "silu";
  const up = linearShare(context, share, {
    part: `${part}up/`,
    in: hidden,
    out: ffn,
    split: "column",
    activation: gated ? "none" : "gelu",
  });
  let inner = up;
  if (gated) {
    const gate = linearShare(context, share, {
      part: `${part}gate/`,
      in: hidden,
      out: ffn,
      split: "column",
      activation: "none",
    });
    const columns = ffn / share.group.length;
    for (const rank of share.group) {
      const gatedUp = declareActivation(context, rank, `${part}gated`, share.rows, columns);
      builder.kernel(
        rank,
        origin,
        { kernel: "silu_multiply", shape: { rows: share.rows, columns } },
        [gate.buffer, up.buffer, gatedUp],
      );
    }
    inner = { ...up, buffer: `${origin.layer}/${part}gated` };
  }
  return linearShare(context, inner, {
    part: `${part}down/`,
    in: ffn,
    out: hidden,
    split: "row",
    activation: "none",
    isLast: true,
  });
};
