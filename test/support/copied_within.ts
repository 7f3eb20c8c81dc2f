// A plan whose ranks keep rows that lie in one buffer before and after: of copies, a gather, and tokens of experts.

import { attention, mlp, moe, plan } from "./plans.ts";

export const copiedWithin = plan(
  "copies within buffers",
  2,
  [
    [{ op: "embedding", vocabulary: 11, hidden: 7, split: "row", groups: [[1], [0]] }],
    [
      { op: "residual", hidden: 7, from: 0, groups: [[0]] },
      moe(7, 4, 2, [[1, 0]], [0, 1], { activation: "relu2" }),
      moe(7, 2, 1, [[0], [1]], [0, 1], { activation: "gelu-erf", gated: true }),
    ],
    [
      mlp(7, 4, "silu", [[1, 0]], { gated: true }),
      mlp(7, 2, "gelu", [[0]]),
      attention(7, 1, 1, [[1]]),
    ],
  ],
  { workload: { batch: 6, sequence: 48 }, optimizations: ["communication-overlap"] },
);
