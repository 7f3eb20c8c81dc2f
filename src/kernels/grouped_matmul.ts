import { type Activation, activationCode } from "./activation.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv, paddedElements } from "./storage.ts";

export interface GroupedMatmulShape {
  /** Experts on this rank. */
  readonly experts: number;
  /** Rows that the buffers can hold; how many are in use is `offsets[experts]`, known only when it runs. */
  readonly rows: number;
  /** Rows expected in use when tokens are balanced; FLOPs and bytes count these. */
  readonly expectedRows: number;
  readonly n: number;
  readonly k: number;
  readonly activation: Activation;
}

/** y[row] = activation(x[row] · w[expert of row]); rows are grouped by expert, `offsets[e]` is the first of expert e. */
export const groupedMatmul: Kernel<GroupedMatmulShape> = {
  name: "grouped_matmul",
  bindings: [read("x"), read("w"), read("offsets", "u32"), write("y")],
  constants: ({ experts, rows, expectedRows, n, k, activation }) => ({
    EXPERTS: experts,
    ROWS: rows,
    EXPECTED_ROWS: expectedRows,
    N: n,
    K: k,
    ACTIVATION: activationCode(activation),
  }),
  grid: () => [ceilDiv(1, 1), 1, 1],
  flops: ({ expectedRows, n, k }) => 2 * expectedRows * n * k,
  bytes: ({ experts, expectedRows, n, k }, dtype) =>
    (paddedElements(expectedRows, k) +
      experts * paddedElements(k, n) +
      paddedElements(expectedRows, n)) *
    bytesPerElement(dtype),
};
