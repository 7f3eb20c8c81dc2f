// Cost as work grows: where a kernel falls off a cliff, its share of the ceiling drops from a row to the next.

import { attentionCase, matmulCase } from "./kernel_case.ts";
import { benchSuite } from "./suite.ts";

const matmulSizes = [256, 384, 512, 768, 1024, 1536, 2048];
const sequences = [256, 512, 1024, 2048, 4096];

benchSuite("growth", [
  ...matmulSizes.map((size) => () => matmulCase(size, size, size)),
  ...sequences.map((sequence) => () => attentionCase(1, sequence, 8, 8, 64, true)),
]);
