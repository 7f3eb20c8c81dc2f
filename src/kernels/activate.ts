import { type Activation, activationPrelude } from "./activation.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface ActivateShape {
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
  bindings: ({ gate }) => [
    { ...read("x"), slot: 0 },
    ...(gate === true ? [{ ...read("gate"), slot: 2 }] : []),
    { ...write("y"), slot: 1 },
  ],
  preludes: (shape) => [activationPrelude(shape.activation), gatePrelude(shape)],
  ...inRuns<ActivateShape>(
    ({ rows, columns }) => rows * rowQuads(columns),
    ({ rows, columns, cap }) => ({
      ROWS: rows,
      COLUMNS: columns,
      ...(cap === undefined ? {} : { CAP: cap }),
    }),
  ),
  flops: ({ rows, columns, gate }) => (gate === true ? rows * columns : 0),
  bytes: ({ rows, columns, gate }, dtype) =>
    (gate === true ? 3 : 2) * paddedElements(rows, columns) * bytesPerElement(dtype),
};
