// The micro-kernels that a calibration runs.

import { ceilDiv } from "../kernels/storage.ts";
import { type Kernel, read, write } from "../kernels/kernel.ts";

export interface MultiplyAddShape {
  readonly workgroups: number;
  readonly iterations: number;
}

/** A kernel that only multiplies and adds, and what it must give for a = b = 1. */
export interface MultiplyAddForm {
  readonly kernel: Kernel<MultiplyAddShape>;
  readonly expected: (iterations: number) => number;
}

const workgroupSize = 64;
export const multiplyAddInvocations = ({ workgroups }: MultiplyAddShape): number =>
  workgroups * workgroupSize;

/** @param chains scalars that one invocation counts up, from 0, 1, 2, … */
const multiplyAdd = (name: string, chains: number, perIteration: number): MultiplyAddForm => ({
  kernel: {
    name: `calibration/${name}`,
    bindings: [read("factors", "f32"), write("result", "f32")],
    constants: ({ iterations }) => ({ ITERATIONS: iterations }),
    grid: ({ workgroups }) => [workgroups, 1, 1],
    flops: (shape) => 2 * multiplyAddInvocations(shape) * chains * perIteration * shape.iterations,
    bytes: (shape) => 8 + 4 * multiplyAddInvocations(shape),
  },
  expected: (iterations) => (chains * (chains - 1)) / 2 + chains * perIteration * iterations,
});

export const multiplyAddForms: readonly MultiplyAddForm[] = [
  multiplyAdd("multiply_add_scalar", 10, 4),
  multiplyAdd("multiply_add_vec4", 8, 8),
];

export interface CopyShape {
  /** Of 16 bytes. */
  readonly quads: number;
}

const mostCopyWorkgroups = 16_384;

export const copy: Kernel<CopyShape> = {
  name: "calibration/copy",
  bindings: [read("x", "u32"), write("y", "u32")],
  constants: ({ quads }) => ({ QUADS: quads }),
  grid: ({ quads }) => [Math.min(mostCopyWorkgroups, ceilDiv(quads, workgroupSize)), 1, 1],
  flops: () => 0,
  bytes: ({ quads }) => 32 * quads,
};
