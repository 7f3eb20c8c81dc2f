// Matrix products in f64, finished as the kernels finish them.

import { type KernelCall, kernelOf } from "../../src/kernels/catalog.ts";
import { bindingsOf } from "../../src/kernels/kernel.ts";
import { rowPitch } from "../../src/kernels/storage.ts";
import { activationFunctions, gateFactor } from "../../src/reference/activations.ts";

type ProductCall = Extract<KernelCall, { kernel: "matmul" | "grouped_matmul" }>;

/** Rows `first` to `end` of x and y, and the matrix of w that they meet. */
interface Part {
  readonly index: number;
  readonly first: number;
  readonly end: number;
}

/** Buffers in the order of the kernel's bindings. */
export function runProduct(call: ProductCall, buffers: readonly Float64Array[]): void {
  const bound = new Map(
    bindingsOf(kernelOf(call), call.shape).map(({ name }, index) => [name, buffers[index]!]),
  );
  for (const part of partsOf(call, bound.get("offsets"))) multiplyPart(call, part, bound);
}

function partsOf(call: ProductCall, offsets: Float64Array | undefined): Part[] {
  if (call.kernel === "matmul") {
    const { m, batch = 1 } = call.shape;
    return Array.from({ length: batch }, (_, index) => ({
      index,
      first: index * m,
      end: (index + 1) * m,
    }));
  }
  return Array.from({ length: call.shape.experts }, (_, index) => ({
    index,
    first: offsets![index]!,
    end: offsets![index + 1]!,
  }));
}

function multiplyPart(
  { shape }: ProductCall,
  { index, first, end }: Part,
  bound: ReadonlyMap<string, Float64Array>,
): void {
  const { n, k, transposed, activation, cap, scale = 1 } = shape;
  const [x, w, y] = [bound.get("x")!, bound.get("w")!, bound.get("y")!];
  const [bias, gate, residual] = [bound.get("bias"), bound.get("gate"), bound.get("residual")];
  const rowGate = bound.get("row_gate");
  const activate = activationFunctions(activation, cap);
  const pitch = rowPitch(shape.pitch ?? n);
  const input = (row: number, i: number): number =>
    transposed === "x"
      ? x[(index * k + i) * rowPitch(end - first) + row - first]!
      : x[row * rowPitch(k) + i]!;
  const weight = (i: number, column: number): number =>
    transposed === "w"
      ? w[(index * n + column) * rowPitch(k) + i]!
      : w[(index * k + i) * rowPitch(n) + column]!;
  for (let row = first; row < end; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum += input(row, i) * weight(i, column);
      const at = row * pitch + column;
      const activated = activate(scale * sum + (bias?.[index * pitch + column] ?? 0));
      const share = rowGate === undefined ? 1 : 1 / (1 + Math.exp(-rowGate[row * rowPitch(1)]!));
      const factor = gate === undefined ? share : share * gateFactor(activation, gate[at]!);
      const finished = activated * factor + (residual?.[at] ?? 0);
      y[at] = finished + (shape.result === "f32-sum" ? y[at]! : 0);
    }
  }
}
