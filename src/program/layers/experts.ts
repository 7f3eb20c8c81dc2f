// What the ranks that hold experts do in a mixture of experts: each expert's network on the rows sent to it.

import type { Activation } from "../../kernels/activation.ts";
import { expertShares, placedExperts } from "../../plan/mesh.ts";
import type { MoeLayer } from "../../plan/layers/moe.ts";
import { expectedRowsOf } from "../expected_rows.ts";
import { startsOf, type Tensor, whole } from "../tensor.ts";
import { activation, biasScale, ownWeight, weightScale, type LayerContext } from "./context.ts";
import { tokensOf, type ExpertColumn } from "./expert_columns.ts";

/** What one rank has of the experts of a column. */
export interface Holding {
  readonly rank: number;
  /** How many, from the number `first` on. */
  readonly experts: number;
  readonly first: number;
  readonly slice: ExpertColumn["slice"];
  /** Of the whole column. */
  readonly tokens: number;
  /** Rows that it must have room for. */
  readonly rows: number;
}

export function holdingsOf(layer: MoeLayer, column: ExpertColumn): Holding[] {
  const { holders, slice } = column;
  const tokens = tokensOf(column);
  const sizes = expertShares(placedExperts(layer), holders.length);
  const starts = startsOf(sizes);
  return holders.map((rank, at) => {
    const experts = sizes[at] ?? 0;
    const rows = expertRows(layer, experts, tokens);
    return { rank, experts, first: starts[at] ?? 0, slice, tokens, rows };
  });
}

function expertRows(layer: MoeLayer, ownExperts: number, tokens: number): number {
  const all = tokens * layer.topK;
  const capacity = capacityOf(layer, tokens);
  return capacity === undefined ? all : Math.min(all, capacity * ownExperts);
}

/** Rows one expert accepts, as Switch Transformer defines it; undefined: dropless. */
export function capacityOf(layer: MoeLayer, tokens: number): number | undefined {
  return layer.capacityFactor === undefined
    ? undefined
    : Math.ceil(((tokens * layer.topK) / layer.experts) * layer.capacityFactor);
}

/** Rows sorted by expert, where they are. */
export interface ExpertRows {
  readonly input: Tensor;
  /** u32 [own experts + 1] */
  readonly offsets: Tensor;
  readonly output: Tensor;
  /** Room for so many. */
  readonly rows: number;
}

/** The feed-forward network of each of a rank's experts. */
export function expertOps(
  context: LayerContext,
  layer: MoeLayer,
  holding: Holding,
  { input, offsets, output, rows }: ExpertRows,
): void {
  const { origin, add } = context;
  const { rank, experts, first, slice, tokens } = holding;
  const { hidden } = layer;
  const ffn = layer.ffn / slice.of;
  const ranks = [rank];
  const matrix = (part: string): Tensor => {
    const isDown = part === "down";
    const [k, n] = isDown ? [layer.ffn, hidden] : [hidden, layer.ffn];
    const inner = slice.index * ffn;
    return ownWeight(context, `experts/${part}/weight`, rank, {
      shape: [placedExperts(layer), k, n],
      offset: isDown ? [first, inner, 0] : [first, 0, inner],
      size: isDown ? [experts, ffn, hidden] : [experts, hidden, ffn],
      scale: weightScale(k),
    });
  };
  // Slices of experts are summands: one of them adds what is not split.
  const biasOf = (part: string): Tensor | undefined => {
    const isDown = part === "down";
    if (layer.expertBias !== true || (isDown && slice.index > 0)) return undefined;
    const [own, all] = isDown ? [hidden, hidden] : [ffn, layer.ffn];
    return ownWeight(context, `experts/${part}/bias`, rank, {
      shape: [placedExperts(layer), 1, all],
      offset: [first, 0, isDown ? 0 : slice.index * ffn],
      size: [experts, 1, own],
      scale: biasScale,
    });
  };
  const choices = tokens * layer.topK;
  const expectedRows = expectedRowsOf({ choices, experts: placedExperts(layer) }, rows, experts);
  const multiply = (part: string, x: Tensor, y: Tensor): void => {
    const bias = biasOf(part);
    add({
      op: "grouped-matmul",
      origin,
      ranks,
      x: whole(x),
      w: matrix(part),
      ...(bias === undefined ? {} : { bias }),
      offsets,
      activation: "none",
      y: whole(y),
      choices,
      experts: placedExperts(layer),
    });
  };
  const inner = (part: string): Tensor =>
    activation(context, `experts/${part}`, ranks, [rows, ffn]);
  const finish = (part: string, how: Activation, gate?: Tensor): Tensor => {
    const product = inner(`${part}/product`);
    multiply(part, input, product);
    const y = inner(`${part}/out`);
    add({
      op: "activation",
      origin,
      ranks,
      activation: how,
      x: whole(product),
      offsets,
      expectedRows,
      ...(gate === undefined ? {} : { gate: whole(gate) }),
      y: whole(y),
    });
    return y;
  };
  if (!layer.gated) {
    multiply("down", finish("up", layer.activation), output);
    return;
  }
  const up = inner("up/out");
  multiply("up", input, up);
  multiply("down", finish("gate", layer.activation, up), output);
}
