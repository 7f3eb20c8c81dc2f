// What the kernels are timed at, what matters most first: a run may be cut off anywhere.

import { allCases } from "../cases.ts";
import { attentionCase, type KernelCase, matmulCase } from "../kernel_case.ts";

const growth = [256, 512, 1024, 2048];
const sequences = [256, 512, 1024, 2048, 4096, 8192];

export const largeCases: readonly (() => KernelCase)[] = [
  () => matmulCase(4096, 4096, 4096),
  () => matmulCase(4096, 4096, 4096, "f16"),
  ...growth.map((size) => () => matmulCase(size, size, size)),
  ...sequences.map((sequence) => () => attentionCase(1, sequence, 8, 8, 64, true)),
  () => matmulCase(8192, 8192, 8192, "f16"),
  ...growth.map((size) => () => matmulCase(size, size, size, "f16")),
  ...sequences.map((sequence) => () => attentionCase(1, sequence, 8, 8, 64, true, "f16")),
  ...allCases,
];

/** A software adapter skips what needs more. */
export const mostSoftwareFlops = 3e9;
