// Norms, residuals and aggregation: every rank of a tensor group does the same, on its copy or on its tokens.

import type { AggregateLayer, NormLayer, ResidualLayer } from "../../plan/plan.ts";
import { membersOf, type Share, type Value } from "../value.ts";
import { declareActivation, declareVector, outputValue, type LayerContext } from "./context.ts";

export const lowerNorm = (context: LayerContext, layer: NormLayer, input: Value): Value =>
  outputValue(context, input, layer.hidden, (share) => {
    const { builder, origin } = context;
    for (const { rank, rows } of membersOf(share)) {
      const shape = { rows, columns: layer.hidden, epsilon: layer.epsilon };
      const gain = declareVector(context, rank, "gain", layer.hidden, 1);
      const y = declareActivation(context, rank, "out", rows, layer.hidden);
      if (layer.norm === "rms") {
        builder.kernel(rank, origin, { kernel: "rms_norm", shape }, [share.buffer, gain, y]);
      } else {
        const bias = declareVector(context, rank, "bias", layer.hidden, 0);
        builder.kernel(rank, origin, { kernel: "layer_norm", shape }, [
          share.buffer,
          gain,
          bias,
          y,
        ]);
      }
    }
    return { ...share, buffer: context.idOf("out") };
  });

/** `skipped` is the input of the layer that the residual goes around, on the same groups, laid out as `input` is. */
export const lowerResidual = (
  context: LayerContext,
  layer: ResidualLayer,
  input: Value,
  skipped: Value,
): Value => {
  const { builder, origin } = context;
  const shares = input.shares.map((share, i): Share => {
    for (const { rank, rows } of membersOf(share)) {
      const y = declareActivation(context, rank, "out", rows, layer.hidden);
      builder.kernel(rank, origin, { kernel: "add", shape: { rows, columns: layer.hidden } }, [
        share.buffer,
        skipped.shares[i]?.buffer ?? "",
        y,
      ]);
    }
    return { ...share, buffer: context.idOf("out") };
  });
  return { ...input, origin, shares };
};

export const lowerAggregate = (
  context: LayerContext,
  layer: AggregateLayer,
  input: Value,
): Value => {
  const { builder, origin } = context;
  const overBatch = layer.over === "batch";
  const scale = 1 / (overBatch ? input.rows : input.sampleRows);
  const shares = input.shares.map((share): Share => {
    const group = overBatch ? share.rows : input.sampleRows;
    const size = share.group.length;
    // A tensor group divides the columns; means of replicas are summed whole.
    const splits =
      size > 1 && input.columns % size === 0 && !(overBatch && input.shares.length > 1);
    const columns = splits ? input.columns / size : input.columns;
    for (const [i, rank] of share.group.entries()) {
      let x = share.buffer;
      if (splits && share.layout === "replicated") {
        x = declareActivation(context, rank, "slice", share.rows, columns);
        builder.kernel(
          rank,
          origin,
          {
            kernel: "slice_columns",
            shape: {
              rows: share.rows,
              inputColumns: input.columns,
              offset: i * columns,
              columns,
            },
          },
          [share.buffer, x],
        );
      }
      const y = declareActivation(context, rank, "out", share.rows / group, columns);
      builder.kernel(
        rank,
        origin,
        { kernel: "aggregate", shape: { rows: share.rows, columns, group, scale } },
        [x, y],
      );
    }
    return {
      ...share,
      layout: splits ? "column" : share.layout,
      rowOffset: share.rowOffset / group,
      rows: share.rows / group,
      buffer: `${origin.layer}/out`,
    };
  });
  const result = { ...input, origin, sampleRows: 1, rows: input.rows / input.sampleRows };
  if (!overBatch) return { ...result, shares };
  const [only] = shares;
  if (shares.length === 1 && only !== undefined) return { ...result, rows: 1, shares: [only] };
  return { ...result, rows: 1, shares: [summandsOf(shares)] };
};

/** Each replica's mean is a summand of the mean over all: its first member stands for it. */
const summandsOf = (shares: readonly Share[]): Share => ({
  group: shares.map((share) => share.group[0] ?? 0),
  rowOffset: 0,
  rows: 1,
  layout: "partial",
  buffer: shares[0]?.buffer ?? "",
});
