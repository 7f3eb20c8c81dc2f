import { type Activation, activationPrelude } from "./activation.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";
import {
  countedRows,
  type UsedRows,
  usedRowsBindings,
  usedRowsConstants,
  usedRowsPrelude,
} from "./used_rows.ts";

export interface ActivateShape extends UsedRows {
  readonly rows: number;
  readonly columns: number;
  readonly activation: Activation;
  /** Of `softcap`. */
  readonly cap?: number;
  /** Binding `gate` [rows, columns]; as in `Finish`. */
  readonly gate?: true;
}

function gatePrelude({ gate, activation }: ActivateShape): string {
  if (gate !== true) return "factors/no_gate";
  return activation === "clamped-silu" ? "factors/clamped_gate" : "factors/gate";
}

/** y = activation(x) · gate, where x has to be kept: else it is a part of the product that gives x. */
export const activate: Kernel<ActivateShape> = {
  name: "activate",
  bindings: (shape) => [
    { ...read("x"), slot: 0 },
    ...(shape.gate === true ? [{ ...read("gate"), slot: 2 }] : []),
    ...usedRowsBindings(shape),
    { ...write("y"), slot: 1 },
  ],
  preludes: (shape) => [
    activationPrelude(shape.activation),
    gatePrelude(shape),
    usedRowsPrelude(shape),
  ],
  ...inRuns<ActivateShape>(
    ({ rows, columns }) => rows * rowQuads(columns),
    (shape) => ({
      ROWS: shape.rows,
      COLUMNS: shape.columns,
      ...usedRowsConstants(shape),
      ...(shape.cap === undefined ? {} : { CAP: shape.cap }),
    }),
  ),
  flops: (shape) => (shape.gate === true ? countedRows(shape) * shape.columns : 0),
  bytes: (shape, dtype) =>
    (shape.gate === true ? 3 : 2) *
    paddedElements(countedRows(shape), shape.columns) *
    bytesPerElement(dtype),
};
