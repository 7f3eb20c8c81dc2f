import { type Activation, activationCode } from "./activation.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv, paddedElements } from "./storage.ts";

export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Applied to the product. */
  readonly activation: Activation;
}

/** y[m, n] = activation(x[m, k] · w[k, n]). Row- and column-parallel layers give it their shard. */
export const matmul: Kernel<MatmulShape> = {
  name: "matmul",
  bindings: [read("x"), read("w"), write("y")],
  constants: ({ m, n, k, activation }) => ({
    M: m,
    N: n,
    K: k,
    ACTIVATION: activationCode(activation),
  }),
  grid: () => [ceilDiv(1, 1), 1, 1],
  flops: ({ m, n, k }) => 2 * m * n * k,
  bytes: ({ m, n, k }, dtype) =>
    (paddedElements(m, k) + paddedElements(k, n) + paddedElements(m, n)) * bytesPerElement(dtype),
};
