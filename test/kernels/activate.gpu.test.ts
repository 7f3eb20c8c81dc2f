// Activations that a kernel of their own computes, against the f64 rules and against the check of a run.

import { expect, test } from "vitest";
import type { Activation } from "../../src/kernels/activation.ts";
import { activations } from "../../src/plan/activation.ts";
import { activationFunctions, gateFactor } from "../../src/reference/activations.ts";
import { checkedRun } from "../support/checked_kernel.ts";
import { describeOnAdapter } from "../support/gpu.ts";
import { near } from "../support/near.ts";
import { output } from "../support/run_kernel.ts";
import { decode, encode, randomSource, rounded, tensor, tensorBytes } from "../support/tensors.ts";
import { outOfTolerance } from "../support/tolerance.ts";

const shapes = [
  [1, 1],
  [7, 13],
  [70, 258],
] as const;

const kinds = ["none", "softcap", "sigmoid", ...activations] satisfies Activation[];

describeOnAdapter("activate", () => {
  test.each(
    (["f32", "f16"] as const).flatMap((dtype) =>
      kinds.flatMap((activation) => shapes.map((shape) => ({ dtype, activation, shape }))),
    ),
  )(
    "$activation in $dtype of $shape, by itself and gated",
    async ({ dtype, activation, shape }) => {
      const [rows, columns] = shape;
      const random = randomSource(rows + columns);
      const wide = () =>
        tensor(
          rows,
          columns,
          Float64Array.from({ length: rows * columns }, (_, i) =>
            rounded((2 * random() - 1) * 2 ** (i % 5), dtype),
          ),
        );
      const [x, gate] = [wide(), wide()];
      const capped = activation === "softcap" ? { cap: 3 } : {};
      const activated = activationFunctions(activation, capped.cap);
      // Alone a sigmoid would not leave padding 0.
      for (const gated of activation === "sigmoid" ? [true] : [false, true]) {
        const run = await checkedRun(
          {
            kernel: "activate",
            shape: { rows, columns, activation, ...capped, ...(gated ? { gate: gated } : {}) },
          },
          dtype,
          { x: encode(x, dtype), ...(gated ? { gate: encode(gate, dtype) } : {}) },
          { y: tensorBytes(rows, columns, dtype) },
        );
        const expected = x.values.map(
          (value, i) => activated(value) * (gated ? gateFactor(activation, gate.values[i]!) : 1),
        );
        const y = decode(output(run.results, "y"), rows, columns, dtype).values;
        // Of what cancels within a gelu its argument is left.
        expect(outOfTolerance(y, near(expected, 4, 256), dtype)).toEqual([]);
        expect(run.worst).toBeLessThan(1);
        expect(await run.spoilt("y", 0)).toBeGreaterThan(1);
      }
    },
  );

  test("as GPUs split it", async () => {
    const [rows, columns] = [37, 70];
    const random = randomSource(3);
    const values = Float64Array.from({ length: rows * columns }, () => Math.fround(random() - 0.5));
    const run = await checkedRun(
      { kernel: "activate", shape: { rows, columns, activation: "silu" } },
      "f32",
      { x: encode(tensor(rows, columns, values), "f32") },
      { y: tensorBytes(rows, columns, "f32") },
      "as on GPUs",
    );
    const y = decode(output(run.results, "y"), rows, columns, "f32").values;
    const expected = near(values.map(activationFunctions("silu")), 4);
    expect(outOfTolerance(y, expected, "f32")).toEqual([]);
    expect(run.worst).toBeLessThan(1);
  });
});
