// A linear layer [in, out]: column-parallel splits `out`, row-parallel splits `in` and leaves partial sums.

import type { Activation } from "../../kernels/activation.ts";
import type { Placement } from "../../plan/placement.ts";
import type { LinearLayer } from "../../plan/layers/linear.ts";
import { type Shard, type ShardedTensor, type Tensor, whole } from "../tensor.ts";
import {
  activation,
  biasScale,
  perShard,
  weight,
  weightScale,
  type LayerContext,
} from "./context.ts";
import { tiedTable } from "./embedding_table.ts";

/** `input` is replicated on the layer's groups, or already sharded by columns where the split is `row`. */
export function linearOps(
  context: LayerContext,
  layer: LinearLayer,
  input: ShardedTensor,
): ShardedTensor {
  return perShard(context, input, layer.out, (shard) =>
    linearShard(context, shard, {
      part: "",
      in: layer.in,
      out: layer.out,
      split: layer.split,
      activation: layer.activation,
      isBiased: layer.bias === true,
      ...(layer.cap === undefined ? {} : { cap: layer.cap }),
      ...(layer.scale === undefined ? {} : { scale: layer.scale }),
      ...(layer.tied === undefined ? {} : { isTied: true }),
    }),
  );
}

export interface LinearPart {
  /** Distinguishes the matrices of one layer: "" or with a slash at its end. */
  readonly part: string;
  readonly in: number;
  readonly out: number;
  readonly split: LinearLayer["split"];
  readonly activation: Activation;
  /** Of `softcap`. */
  readonly cap?: number;
  /** Of the product. Absent: 1. */
  readonly scale?: number;
  /** Sharded as the result, which is multiplied by it behind the activation. */
  readonly gate?: Tensor;
  /** [rows, 1] on every rank: logits, of whose sigmoids the rows of the product are shares. */
  readonly rowGate?: Tensor;
  readonly isTied?: boolean;
  /** Absent: no. */
  readonly isBiased?: boolean;
}

/** One tensor group's part of a matrix product. */
export function linearShard(context: LayerContext, shard: Shard, linear: LinearPart): Shard {
  const { origin, add } = context;
  const { part, split, gate, rowGate, scale, cap, isTied = false, isBiased = false } = linear;
  const { ranks, rows } = shard;
  const size = ranks.length;
  const localIn = split === "row" ? linear.in / size : linear.in;
  const localOut = split === "column" ? linear.out / size : linear.out;
  const firstOut = (member: number): number => (split === "column" ? member * localOut : 0);
  const w = isTied
    ? tiedTable(context, ranks, firstOut, localOut)
    : weight(context, `${part}weight`, ranks, (member) => ({
        shape: [linear.in, linear.out],
        offset: [split === "row" ? member * localIn : 0, firstOut(member)],
        size: [localIn, localOut],
        scale: weightScale(linear.in),
      }));
  let x = shard.tensor;
  if (split === "row" && shard.placement.kind !== "columns" && size > 1) {
    const slice = activation(context, `${part}slice`, ranks, [rows, localIn]);
    add({ op: "slice-columns", origin, ranks, x, y: slice });
    x = slice;
  }
  const isPlain = linear.activation === "none" && gate === undefined;
  const result = (name: string): Tensor =>
    activation(context, `${part}${name}`, ranks, [rows, localOut]);
  const product = result(isPlain ? "out" : "product");
  add({
    op: "matmul",
    origin,
    ranks,
    x: whole(x),
    w,
    isTransposed: isTied,
    ...(isBiased ? { bias: biasOf(context, ranks, linear) } : {}),
    activation: "none",
    ...(scale === undefined ? {} : { scale }),
    ...(rowGate === undefined ? {} : { rowGate: whole(rowGate) }),
    y: whole(product),
  });
  const placement = placementOf(split, size);
  if (isPlain) return { ...shard, placement, tensor: product };
  const y = result("out");
  add({
    op: "activation",
    origin,
    ranks,
    activation: linear.activation,
    ...(cap === undefined ? {} : { cap }),
    x: whole(product),
    ...(gate === undefined ? {} : { gate: whole(gate) }),
    y: whole(y),
  });
  return { ...shard, placement, tensor: y };
}

/** A bias [out]: the own columns' of a column split; of a row split whole on the first rank, which adds it for all. */
export function biasOf(
  context: LayerContext,
  ranks: readonly number[],
  { part, out, split }: Pick<LinearPart, "part" | "out" | "split">,
): Tensor {
  const adding = split === "row" ? ranks.slice(0, 1) : ranks;
  const own = split === "column" ? out / ranks.length : out;
  return weight(context, `${part}bias`, adding, (member) => ({
    shape: [out],
    offset: [split === "column" ? member * own : 0],
    size: [own],
    scale: biasScale,
  }));
}

/** What a split leaves on a group of that size; one rank holds the whole. */
export function placementOf(split: LinearLayer["split"], size: number): Placement {
  if (size === 1 || split === "replicated") return { kind: "replicate" };
  return { kind: split === "column" ? "columns" : "partial" };
}
