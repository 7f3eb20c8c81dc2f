import { type Activation, activationPrelude, slopePrelude } from "./activation.ts";
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

export interface ActivationGradientShape extends UsedRows {
  readonly rows: number;
  readonly columns: number;
  readonly activation: Activation;
  /** Of `softcap`. */
  readonly cap?: number;
  /** Bindings `gate` and `dgate` [rows, columns]; as in `Finish`. */
  readonly gate?: true;
}

function gatePrelude({ gate, activation }: ActivationGradientShape): string {
  if (gate !== true) return "gradients/no_gate";
  return activation === "clamped-silu" ? "gradients/clamped_gate" : "gradients/gate";
}

/** Of h = activation(u) · gate: du = dh · gate · activation'(u), dgate = dh · activation(u); [rows, columns] all. */
export const activationGradient: Kernel<ActivationGradientShape> = {
  name: "activation_gradient",
  bindings: (shape) => [
    { ...read("dh"), slot: 0 },
    { ...read("u"), slot: 1 },
    ...(shape.gate === true
      ? [
          { ...read("gate"), slot: 3 },
          { ...write("dgate"), slot: 4 },
        ]
      : []),
    ...usedRowsBindings(shape),
    { ...write("du"), slot: 2 },
  ],
  preludes: (shape) => [
    activationPrelude(shape.activation),
    slopePrelude(shape.activation),
    gatePrelude(shape),
    usedRowsPrelude(shape),
  ],
  ...inRuns<ActivationGradientShape>(
    ({ rows, columns }) => rows * rowQuads(columns),
    (shape) => ({
      ROWS: shape.rows,
      COLUMNS: shape.columns,
      ...usedRowsConstants(shape),
      ...(shape.cap === undefined ? {} : { CAP: shape.cap }),
    }),
  ),
  flops: (shape) => (shape.gate === true ? 3 : 1) * countedRows(shape) * shape.columns,
  bytes: (shape, dtype) =>
    (shape.gate === true ? 5 : 3) *
    paddedElements(countedRows(shape), shape.columns) *
    bytesPerElement(dtype),
};
