// Rules on what a plan says about itself.

import { assumedPath } from "../assumed.ts";
import type { Path } from "../document.ts";
import { isBrainFloat } from "../dtype_names.ts";
import { error, info, type Rule, warning } from "./rule.ts";

/** What is marked as assumed is there: in the file, or filled in by a default. */
export const assumedValuesExist: Rule = (plan, written) => {
  const filledIn = { ...plan, parallel: plan.degrees };
  return (written?.assumed ?? []).flatMap((path, i) =>
    namesSomething(assumedPath(path), [written, filledIn])
      ? []
      : [
          error(
            "assumed-value-missing",
            ["assumed", i],
            `${path} is marked as assumed, but the plan gives no such value`,
            "write keys with dots between them, such as model.hidden or stages.0.layers.0.in",
          ),
        ],
  );
};

/** Whatever the case of its letters, and from whichever part of the plan it begins. */
const namesSomething = (path: Path, plans: readonly unknown[]): boolean =>
  path.length === 0 ||
  plans.some((plan) => beginningsIn(plan).some((part) => valueAtFolded(part, path) !== undefined));

/** The plan and its parts: `moe.experts` is that of the model. */
const beginningsIn = (plan: unknown): unknown[] => [
  plan,
  ...(typeof plan === "object" && plan !== null ? Object.values(plan) : []),
];

const valueAtFolded = (root: unknown, path: Path): unknown => {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    const wanted = String(key).toLowerCase();
    value = Object.entries(value).find(([name]) => name.toLowerCase() === wanted)?.[1];
  }
  return value;
};

/** Readers of a verdict must know what the plan's source did not say. */
export const assumptionsAreSaid: Rule = ({ assumed }) =>
  assumed.length === 0
    ? []
    : [
        info(
          "values-assumed",
          ["assumed"],
          `${assumed.length} values are assumed: the plan's source does not give them`,
        ),
      ];

/** Numbers of bf16 have the width of f16 and another range: what runs is said. */
export const brainFloatRunsAsHalf: Rule = (_plan, written) =>
  isBrainFloat(written?.workload.dtype)
    ? [
        info(
          "bf16-as-f16",
          ["workload", "dtype"],
          "bfloat16 is run as f16, which is as wide; figures of numerics are f16's",
        ),
      ]
    : [];

/** A training plan is checked, but no backward pass is computed: a schedule's slots for it hold a stand-in. */
export const trainingRunsForward: Rule = ({ workload }) =>
  workload.mode === "inference"
    ? []
    : [
        workload.schedule === undefined
          ? warning(
              "training-runs-forward-only",
              ["workload", "mode"],
              "mode is training, but only the forward pass is run and measured",
              "read the figures as those of inference, or name a workload.schedule to run backward slots",
            )
          : warning(
              "backward-is-stand-in",
              ["workload", "schedule"],
              "backward slots hold a stand-in: the stage's matrix products twice over and a transfer as " +
                "large as the gradient; nothing is trained",
              "read the figures as those of the schedule, not of training",
            ),
      ];
