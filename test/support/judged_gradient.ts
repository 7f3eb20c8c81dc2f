// A kernel of the backward pass on operands drawn at random, against the same in f64 and against the check of a run.

import { type KernelCall, kernelOf } from "../../src/kernels/catalog.ts";
import { bindingsOf } from "../../src/kernels/kernel.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { checkedRun } from "./checked_kernel.ts";
import { runKernel as interpretKernel } from "./interpret.ts";
import { near } from "./near.ts";
import { output } from "./run_kernel.ts";
import { decode, encode, randomSource, randomTensor, tensorBytes } from "./tensors.ts";
import { outOfTolerance } from "./tolerance.ts";

/** Rows and columns of a binding. */
export type Sizes = Readonly<Record<string, readonly [rows: number, columns: number]>>;

interface Judged {
  readonly dtype: StorageType;
  readonly split?: "own" | "as on GPUs";
  /** Terms of the longest sum that makes a number. */
  readonly terms: number;
  /** What is no number in [-1, 1]. */
  readonly given?: Readonly<Record<string, Float64Array>>;
}

/** Nothing where every result is right, is found right, and with its first or last word changed is found wrong. */
export async function gradientFaults(
  call: KernelCall,
  sizes: Sizes,
  { dtype, split = "own", terms, given = {} }: Judged,
): Promise<string[]> {
  const random = randomSource(terms);
  const bindings = bindingsOf(kernelOf(call), call.shape).map((binding) => {
    const [rows, columns] = sizes[binding.name] ?? [0, 0];
    const stored = binding.element === "f32" ? ("f32" as const) : dtype;
    const drawn = randomTensor(rows, columns, stored, random);
    const own = { ...drawn, values: given[binding.name] ?? drawn.values };
    const isRead = binding.access === "read" || binding.isUpdated === true;
    return { binding, own, stored, rows, columns, isRead };
  });
  const inputs = Object.fromEntries(
    bindings.flatMap(({ binding, own, stored, isRead }) =>
      isRead ? [[binding.name, encode(own, stored)] as const] : [],
    ),
  );
  const written = bindings.filter(({ binding }) => binding.access !== "read");
  const outputs = Object.fromEntries(
    written.map(({ binding, rows, columns, stored }) => [
      binding.name,
      tensorBytes(rows, columns, stored),
    ]),
  );
  const padded = bindings.map(({ own, isRead, rows, columns }) =>
    isRead
      ? Float64Array.from(new Float32Array(encode(own, "f32").buffer))
      : new Float64Array(tensorBytes(rows, columns, "f32") / 4),
  );
  interpretKernel(call, padded);
  const { results, worst, spoilt } = await checkedRun(call, dtype, inputs, outputs, split);
  const faults = worst < 1 ? [] : [`the check is off by ${worst}`];
  for (const { binding, rows, columns, stored } of written) {
    const at = bindings.findIndex((each) => each.binding === binding);
    const buffer = new Uint8Array(new Float32Array(padded[at] ?? []).buffer);
    const expected = decode(buffer.buffer, rows, columns, "f32").values;
    const actual = decode(output(results, binding.name), rows, columns, stored).values;
    faults.push(...outOfTolerance(actual, near(expected, terms), stored));
    const words = tensorBytes(rows, columns, stored) / 4;
    for (const word of [0, words - 1]) {
      if ((await spoilt(binding.name, word)) > 1) continue;
      faults.push(`the check does not see word ${word} of ${binding.name}`);
    }
  }
  return faults;
}
