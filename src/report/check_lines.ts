// What was held against what before anything was timed, how much of it, and what was not.

import { countOf, formatNumber, formatPercent } from "../measure/format.ts";
import type { Colours } from "./colour.ts";
import type { CheckedKind, CheckOutcome, RunResult } from "../result/result.ts";
import { LINE_WIDTH } from "./table.ts";
import { wrap } from "./text_width.ts";

const indent = 7;

export const checkLines = ({ check }: RunResult, colours: Colours): string[] => {
  if (check === undefined) return [];
  const right = check.error <= check.tolerance;
  const word = right ? colours.good("right") : colours.bad("wrong");
  const [first = "", ...rest] = [wholeOf(check), ...sentencesOf(check)].flatMap((sentence) =>
    wrap(sentence, LINE_WIDTH - indent),
  );
  return [`${word}  ${first}`, ...rest.map((line) => `${" ".repeat(indent)}${line}`)];
};

const wholeOf = (check: CheckOutcome): string => {
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
};

const sentencesOf = ({ kinds, notChecked, timed }: CheckOutcome): string[] => [
  ...(timed === undefined
    ? []
    : [
        `${countOf(timed.steps, "step")} after it, the timed ones among them: the same bits ` +
          `in each of ${countOf(timed.microBatches, "micro-batch").replace("batchs", "batches")}`,
      ]),
  ...(kinds.length === 0
    ? []
    : [`each held in f64 against what it read in this run: ${kinds.map(kindOf).join("; ")}`]),
  ...(notChecked.length === 0 ? [] : [`not checked: ${notChecked.join("; ")}`]),
];

/** Two counts where they differ, else one. */
const share = (part: number, whole: number): string =>
  part === whole ? `all ${formatNumber(whole)}` : `${formatNumber(part)} of ${formatNumber(whole)}`;

const kindOf = ({ kind, calls, allCalls, checked, total, unit }: CheckedKind): string =>
  `${kind} ${share(calls, allCalls)} calls, ${share(checked, total)} ${unit}`;
