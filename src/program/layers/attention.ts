// Self-attention: QKV column-parallel over heads, one fused kernel, output row-parallel (partial sums).

import type { AttentionLayer } from "../../plan/plan.ts";
import { paddedElements } from "../../kernels/storage.ts";
import type { RegionContent } from "../content.ts";
import type { Share, Value } from "../value.ts";
import { declareActivation, outputValue, weightScale, type LayerContext } from "./context.ts";
import { lowerLatentAttention } from "./latent_attention.ts";
import { linearShare } from "./linear.ts";

export const lowerAttention = (
  context: LayerContext,
  layer: AttentionLayer,
  input: Value,
): Value => {
  if (layer.latent !== undefined) return lowerLatentAttention(context, layer, layer.latent, input);
  return outputValue(context, input, layer.hidden, (share) => {
    const sequence = input.sampleRows * context.contextRanks;
    const heads = layer.heads / share.group.length;
    // Fewer key and value heads than ranks: neighbours hold the same one.
    const kvHeads = Math.max(1, layer.kvHeads / share.group.length);
    for (const [i, rank] of share.group.entries()) {
      attend(context, layer, share, rank, {
        heads,
        kvHeads,
        firstHead: i * heads,
        firstKvHead: Math.floor((i * layer.kvHeads) / share.group.length),
        batch: share.rows / sequence,
        sequence,
      });
    }
    if (context.contextRanks > 1) {
      gatherContext(context, input, share, 2 * kvHeads * layer.headDim);
    }
    const buffer = `${context.origin.layer}/attended`;
    return linearShare(
      context,
      { ...share, layout: "column", buffer },
      {
        part: "output/",
        in: layer.heads * layer.headDim,
        out: layer.hidden,
        split: "row",
        activation: "none",
        isLast: true,
      },
    );
  });
};

/** The ranks that share sequences gather all keys and values of them, as context parallelism by all-gather does. */
const gatherContext = (
  { builder, origin, idOf, contextRanks }: LayerContext,
  input: Value,
  share: Share,
  columns: number,
): void => {
  const first = input.shares.indexOf(share) - (input.shares.indexOf(share) % contextRanks);
  const peers = input.shares.slice(first, first + contextRanks);
  for (const [i, rank] of share.group.entries()) {
    const from = peers.map(({ group }) => group[i] ?? 0);
    const name = `${origin.layer}/context/${first}/${i}`;
    const own = builder.declare(rank, {
      id: idOf("context/own"),
      layer: origin.layer,
      role: "activation",
      shape: [share.rows, columns],
    });
    const all = builder.declare(rank, {
      id: idOf("context/all"),
      layer: origin.layer,
      role: "activation",
      shape: [contextRanks * share.rows, columns],
    });
    builder.emit(rank, {
      op: "all-gather",
      origin,
      name,
      channel: builder.channel(name),
      dtype: builder.dtype,
      from,
      to: from,
      counts: from.map(() => paddedElements(share.rows, columns)),
      send: own,
      receive: all,
    });
  }
};

interface LocalHeads {
  readonly heads: number;
  readonly kvHeads: number;
  readonly firstHead: number;
  readonly firstKvHead: number;
  readonly batch: number;
  readonly sequence: number;
}

const attend = (
  context: LayerContext,
  layer: AttentionLayer,
  share: Share,
  rank: number,
  local: LocalHeads,
): void => {
  const { builder, origin, idOf } = context;
  const { hidden, headDim } = layer;
  const { heads, kvHeads, batch, sequence } = local;
  const columns = (heads + 2 * kvHeads) * headDim;
  const projection = (part: string, first: number, own: number, all: number): RegionContent => ({
    kind: "uniform",
    tensor: idOf(part),
    center: 0,
    scale: weightScale(hidden),
    shape: [hidden, all * headDim],
    offset: [0, first * headDim],
    size: [hidden, own * headDim],
  });
  const weight = builder.declare(rank, {
    id: idOf("qkv/weight"),
    layer: origin.layer,
    role: "weight",
    shape: [hidden, columns],
    content: {
      kind: "beside",
      parts: [
        projection("q/weight", local.firstHead, heads, layer.heads),
        projection("k/weight", local.firstKvHead, kvHeads, layer.kvHeads),
        projection("v/weight", local.firstKvHead, kvHeads, layer.kvHeads),
      ],
    },
  });
  const qkv = declareActivation(context, rank, "qkv/out", share.rows, columns);
  builder.kernel(
    rank,
    origin,
    { kernel: "matmul", shape: { m: share.rows, n: columns, k: hidden, activation: "none" } },
    [share.buffer, weight, qkv],
  );
  const attended = declareActivation(context, rank, "attended", share.rows, heads * headDim);
  builder.kernel(
    rank,
    origin,
    {
      kernel: "attention",
      shape: { batch, sequence, heads, kvHeads, headDim, causal: layer.causal },
    },
    [qkv, attended],
  );
};
