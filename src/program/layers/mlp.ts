// A dense feed-forward layer: up (and gate) column-parallel, down row-parallel (partial sums).

import type { MlpLayer } from "../../plan/plan.ts";
import type { Value } from "../value.ts";
import { declareActivation, outputValue, type LayerContext } from "./context.ts";
import { linearShare } from "./linear.ts";

export const lowerMlp = (context: LayerContext, layer: MlpLayer, input: Value): Value =>
  outputValue(context, input, layer.hidden, (share) => {
    const { builder, origin } = context;
    const { hidden, ffn } = layer;
    const gated = layer.activation === "silu";
    const up = linearShare(context, share, {
      part: "up/",
      in: hidden,
      out: ffn,
      split: "column",
      activation: gated ? "none" : "gelu",
    });
    let inner = up;
    if (gated) {
      const gate = linearShare(context, share, {
        part: "gate/",
        in: hidden,
        out: ffn,
        split: "column",
        activation: "none",
      });
      const columns = ffn / share.group.length;
      for (const rank of share.group) {
        const gatedUp = declareActivation(context, rank, "gated", share.rows, columns);
        builder.kernel(
          rank,
          origin,
          { kernel: "silu_multiply", shape: { rows: share.rows, columns } },
          [gate.buffer, up.buffer, gatedUp],
        );
      }
      inner = { ...up, buffer: `${origin.layer}/gated` };
    }
    return linearShare(context, inner, {
      part: "down/",
      in: ffn,
      out: hidden,
      split: "row",
      activation: "none",
    });
  });
