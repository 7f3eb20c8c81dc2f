// A linear layer [in, out]: column-parallel splits `out`, row-parallel splits `in` and leaves partial sums.

import type { LinearLayer } from "../../plan/plan.ts";
import { sameRanks, settle, type Layout, type Share, type Value } from "../value.ts";
import {
  declareActivation,
  declareWeight,
  outputValue,
  weightScale,
  type LayerContext,
} from "./context.ts";
import { declareTiedTable } from "./embedding_table.ts";

/** `input` is replicated on the layer's groups, or already split by columns where the split is `row`. */
export const lowerLinear = (context: LayerContext, layer: LinearLayer, input: Value): Value =>
  outputValue(context, input, layer.out, (share) =>
    linearShare(context, share, {
      part: "",
      in: layer.in,
      out: layer.out,
      split: layer.split,
      activation: layer.activation,
      isLast: true,
      ...(layer.tied === undefined ? {} : { tied: layer.tied }),
    }),
  );

export interface LinearPart {
  /** Distinguishes the matrices of one layer. */
  readonly part: string;
  readonly in: number;
  readonly out: number;
  readonly split: LinearLayer["split"];
  readonly activation: LinearLayer["activation"];
  readonly tied?: true;
  /** A buffer like the result, which the activated product is multiplied by. */
  readonly gate?: string;
  /** Nothing in the layer reads the product: it adds what is skipped; where the plan overlaps, it may be put off. */
  readonly isLast?: boolean;
}

/** One tensor group's part of a matrix product. */
export const linearShare = (context: LayerContext, share: Share, linear: LinearPart): Share => {
  const { builder, origin } = context;
  const { part, split, activation, tied, gate, isLast = false } = linear;
  const size = share.group.length;
  const localIn = split === "row" ? linear.in / size : linear.in;
  const localOut = split === "column" ? linear.out / size : linear.out;
  const [weightPart, slicePart, out] = [`${part}weight`, `${part}slice`, `${part}out`];
  const skipped = isLast
    ? context.skipped?.shares.find(({ group }) => sameRanks(group, share.group))?.buffer
    : undefined;
  const multiply = new Map<number, (first: number, rows: number) => void>();
  for (const [i, rank] of share.group.entries()) {
    const firstOut = split === "column" ? i * localOut : 0;
    const weight = tied
      ? declareTiedTable(context, rank, firstOut, localOut)
      : declareWeight(context, rank, weightPart, {
          shape: [linear.in, linear.out],
          offset: [split === "row" ? i * localIn : 0, firstOut],
          size: [localIn, localOut],
          scale: weightScale(linear.in),
        });
    let x = share.buffer;
    if (split === "row" && share.layout !== "column" && size > 1) {
      x = declareActivation(context, rank, slicePart, share.rows, localIn);
      builder.kernel(
        rank,
        origin,
        {
          kernel: "slice_columns",
          shape: {
            rows: share.rows,
            inputColumns: linear.in,
            offset: i * localIn,
            columns: localIn,
          },
        },
        [share.buffer, x],
      );
    }
    const y = declareActivation(context, rank, out, share.rows, localOut);
    multiply.set(rank, (first, rows) => {
      const of = (id: string, columns: number): string =>
        rows === share.rows ? id : builder.window(rank, id, columns, first, rows);
      builder.kernel(
        rank,
        origin,
        {
          kernel: "matmul",
          shape: {
            m: rows,
            n: localOut,
            k: localIn,
            activation,
            ...(tied && { transposed: "w" }),
            ...(gate === undefined ? {} : { gate: true }),
            ...(skipped === undefined ? {} : { residual: true }),
          },
        },
        [
          of(x, localIn),
          weight,
          ...(gate === undefined ? [] : [of(gate, localOut)]),
          ...(skipped === undefined ? [] : [of(skipped, localOut)]),
          of(y, localOut),
        ],
      );
    });
  }
  const product: Share = {
    ...share,
    layout: layoutOf(split, size),
    buffer: context.idOf(out),
    compute: (rank, first, rows) => multiply.get(rank)?.(first, rows),
  };
  return isLast && context.overlap && product.layout !== "replicated" ? product : settle(product);
};

/** What a split leaves on a group of that size; one rank holds the whole. */
export const layoutOf = (split: LinearLayer["split"], size: number): Layout => {
  if (size === 1 || split === "replicated") return "replicated";
  return split === "column" ? "column" : "partial";
};
