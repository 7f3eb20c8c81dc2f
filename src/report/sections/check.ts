// What was held against what before anything was timed, how much of it, and what was not.

import { countOf, formatNumber, formatPercent } from "../../measure/format.ts";
import type { CheckedKind, CheckedTraining, CheckOutcome } from "../../result/check_outcome.ts";
import type { RunResult } from "../../result/result.ts";
import { fields, type Section } from "../section.ts";

export function checkSection({ check }: Pick<RunResult, "check">): Section {
  const title = "Check";
  if (check === undefined) return { title, blocks: [] };
  const verdict =
    check.error <= check.tolerance
      ? ({ text: "right", tone: "good" } as const)
      : ({ text: "wrong", tone: "bad" } as const);
  const sentences = [wholeOf(check), ...sentencesOf(check)];
  return {
    title,
    blocks: [
      fields(
        sentences.map((sentence, i) => [i === 0 ? verdict : "", sentence]),
        7,
        0,
      ),
    ],
  };
}

function wholeOf(check: CheckOutcome): string {
  const routing =
    check.routing === undefined || check.routing.total === 0
      ? ""
      : `; ${formatPercent(check.routing.agreeing / check.routing.total)} of ` +
        `${formatNumber(check.routing.total)} expert choices agree`;
  return (
    `largest relative error ${check.error.toExponential(1)}, accepted ` +
    `${check.tolerance.toExponential(1)}; ${countOf(check.values, "value")}: ` +
    `${check.compared}${routing}`
  );
}

/** From here on, what rounding may do hides faults that matter. */
const laxTolerance = 0.05;

function sentencesOf({ kinds, notChecked, timed, tolerance, training }: CheckOutcome): string[] {
  return [
    ...(training === undefined ? [] : [trainingOf(training)]),
    ...(tolerance < laxTolerance
      ? []
      : [
          `rounding through all of its layers may be off by ${formatPercent(tolerance)} of the ` +
            `largest value: of smaller faults in what the instructions mean together this says nothing`,
        ]),
    ...(timed === undefined
      ? []
      : [
          `${countOf(timed.steps, "step")} after it, the timed ones among them: the same bits ` +
            `in each of ${countOf(timed.microBatches, "micro-batch")}`,
        ]),
    ...(kinds.length === 0
      ? []
      : [`each held in f64 against what it read in this run: ${kinds.map(kindOf).join("; ")}`]),
    ...(notChecked.length === 0 ? [] : [`not checked: ${notChecked.join("; ")}`]),
  ];
}

function trainingOf({ loss, gradientNorm, error, tolerance, weight, values }: CheckedTraining) {
  return (
    `gradients: largest relative error ${error.toExponential(1)} (${weight}), accepted ` +
    `${tolerance.toExponential(1)}; ${countOf(values, "value")}; loss ${loss.toPrecision(5)}, ` +
    `norm of all gradients ${gradientNorm.toPrecision(4)}`
  );
}

/** Two counts where they differ, else one. */
function share(part: number, whole: number): string {
  return part === whole
    ? `all ${formatNumber(whole)}`
    : `${formatNumber(part)} of ${formatNumber(whole)}`;
}

function kindOf({ kind, calls, allCalls, checked, total, unit }: CheckedKind): string {
  return `${kind} ${share(calls, allCalls)} calls, ${share(checked, total)} ${unit}`;
}
