import { type Activation, activationPrelude, slopePrelude } from "./activation.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface ActivationGradientShape {
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
  bindings: ({ gate }) => [
    { ...read("dh"), slot: 0 },
    { ...read("u"), slot: 1 },
    ...(gate === true
      ? [
          { ...read("gate"), slot: 3 },
          { ...write("dgate"), slot: 4 },
        ]
      : []),
    { ...write("du"), slot: 2 },
  ],
  preludes: (shape) => [
    activationPrelude(shape.activation),
    slopePrelude(shape.activation),
    gatePrelude(shape),
  ],
  ...inRuns<ActivationGradientShape>(
    ({ rows, columns }) => rows * rowQuads(columns),
    ({ rows, columns, cap }) => ({
      ROWS: rows,
      COLUMNS: columns,
      ...(cap === undefined ? {} : { CAP: cap }),
    }),
  ),
  flops: ({ rows, columns, gate }) => (gate === true ? 3 : 1) * rows * columns,
  bytes: ({ rows, columns, gate }, dtype) =>
    (gate === true ? 5 : 3) * paddedElements(rows, columns) * bytesPerElement(dtype),
};
