// Attention through low-rank projections (DeepSeek V2, V3), for counting: no rank can run it yet, and the
// check refuses a plan that would. Down-projections are on every member, heads are split.

import type { AttentionLayer, LatentAttention } from "../../plan/plan.ts";
import type { Share, Value } from "../value.ts";
import {
  declareActivation,
  declareVector,
  declareWeight,
  outputValue,
  weightScale,
  type LayerContext,
} from "./context.ts";
import { linearShare } from "./linear.ts";

export const lowerLatentAttention = (
  context: LayerContext,
  layer: AttentionLayer,
  latent: LatentAttention,
  input: Value,
): Value =>
  outputValue(context, input, layer.hidden, (share) => {
    for (const [i, rank] of share.group.entries()) {
      attend(context, layer, latent, share, rank, i, input.sampleRows);
    }
    const buffer = `${context.origin.layer}/attended`;
    return linearShare(
      context,
      { ...share, layout: "column", buffer },
      {
        part: "output/",
        in: layer.heads * latent.valueDim,
        out: layer.hidden,
        split: "row",
        activation: "none",
      },
    );
  });

const attend = (
  context: LayerContext,
  { hidden, heads, headDim, causal }: AttentionLayer,
  { queryRank, keyValueRank, rotaryDim, valueDim }: LatentAttention,
  share: Share,
  rank: number,
  member: number,
  sequence: number,
): void => {
  const { builder, origin } = context;
  const { rows } = share;
  const members = share.group.length;
  const project = (part: string, x: string, k: number, all: number, split: boolean): string => {
    const n = split ? all / members : all;
    const weight = declareWeight(context, rank, `${part}/weight`, {
      shape: [k, all],
      offset: [0, split ? member * n : 0],
      size: [k, n],
      scale: weightScale(k),
    });
    const y = declareActivation(context, rank, `${part}/out`, rows, n);
    const shape = { m: rows, n, k, activation: "none" as const };
    builder.kernel(rank, origin, { kernel: "matmul", shape }, [x, weight, y]);
    return y;
  };
  const normalise = (part: string, x: string, columns: number): string => {
    const gain = declareVector(context, rank, `${part}/gain`, columns, 1);
    const y = declareActivation(context, rank, `${part}/normalised`, rows, columns);
    const shape = { rows, columns, epsilon: 1e-6 };
    builder.kernel(rank, origin, { kernel: "rms_norm", shape }, [x, gain, y]);
    return y;
  };
  const queryWidth = heads * (headDim + rotaryDim);
  if (queryRank === undefined) {
    project("q", share.buffer, hidden, queryWidth, true);
  } else {
    const down = project("q/down", share.buffer, hidden, queryRank, false);
    project("q", normalise("q", down, queryRank), queryRank, queryWidth, true);
  }
  // The rotary part of the key comes beside the latent and is not normalised.
  const down = project("kv/down", share.buffer, hidden, keyValueRank + rotaryDim, false);
  const latents = normalise("kv", down, keyValueRank);
  const qkv = project("kv", latents, keyValueRank, heads * (headDim + valueDim), true);
  const ownHeads = heads / members;
  const attended = declareActivation(context, rank, "attended", rows, ownHeads * valueDim);
  // Queries and keys are wider than values: the mean of both widths costs the same.
  const meanDim = (headDim + rotaryDim + valueDim) / 2;
  builder.kernel(
    rank,
    origin,
    {
      kernel: "attention",
      shape: {
        batch: rows / sequence,
        sequence,
        heads: ownHeads,
        kvHeads: ownHeads,
        headDim: meanDim,
        causal,
      },
    },
    [qkv, attended],
  );
};
