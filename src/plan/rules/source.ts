// Rules on what a plan says about itself.

import { assumedPath } from "../assumed.ts";
import { valueAt } from "../document.ts";
import { info, type Rule, warning } from "./rule.ts";

/** What is marked as assumed is there: in the file, or filled in by a default. */
export const assumedValuesExist: Rule = (plan, written) => {
  const filledIn = { ...plan, parallel: plan.degrees };
  return (written?.assumed ?? []).flatMap((path, i) =>
    [written, filledIn].some((root) => valueAt(root, assumedPath(path)) !== undefined)
      ? []
      : [
          warning(
            "assumed-value-missing",
            ["assumed", i],
            `${path} is marked as assumed, but the plan gives no such value`,
            "write keys with dots between them, such as model.hidden or stages.0.layers.0.in",
          ),
        ],
  );
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
