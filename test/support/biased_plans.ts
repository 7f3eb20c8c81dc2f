// Plans whose products have biases, in every split.

import type { Plan } from "../../src/plan/plan.ts";
import { linear, mlp, moe, norm, plan } from "./plans.ts";

const biased = { bias: true } as const;
const both = [[0, 1]];
const three = [[0, 1, 2]];

export function biasedPlansIn(dtype: Plan["workload"]["dtype"]): readonly Plan[] {
  return biasedPlans.map((each) => ({ ...each, workload: { ...each.workload, dtype } }));
}

export const biasedPlans: readonly Plan[] = [
  plan("columns, then rows, with a residual behind", 2, [
    [
      { ...linear(6, 10, "column", both, "gelu"), ...biased },
      { ...linear(10, 6, "row", both), ...biased },
      { op: "residual", hidden: 6, from: 0, groups: both },
      norm(6, both),
    ],
  ]),
  plan("a copy on each of two ranks", 2, [
    [{ ...linear(6, 5, "replicated", both, "relu"), ...biased }],
  ]),
  plan("two replicas of a gated network", 4, [
    [
      {
        ...mlp(6, 10, "silu", [
          [0, 1],
          [2, 3],
        ]),
        ...biased,
      },
    ],
  ]),
  plan("an ungated network whose residual is part of the product", 1, [
    [
      { ...mlp(6, 10, "gelu", [[0]]), ...biased },
      { op: "residual", hidden: 6, from: 0, groups: [[0]] },
    ],
  ]),
  plan("experts on three ranks, with a bias of the router", 3, [
    [
      linear(6, 8, "replicated", [[0, 1]]),
      moe(8, 5, 2, [[0, 1]], [0, 1, 2], {
        activation: "silu",
        renormalise: true,
        expertBias: true,
        routerBias: true,
      }),
    ],
  ]),
  plan("experts that a tensor group slices", 3, [
    [
      linear(6, 8, "replicated", three),
      moe(8, 4, 2, three, [], { expertGroups: [[[0, 1, 2]]], expertBias: true }),
    ],
  ]),
];
