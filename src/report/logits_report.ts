// The tokens that a model holds most likely to come next.

import type { Plan } from "../plan/plan.ts";
import { countOf, formatPercent } from "../measure/format.ts";
import { planLine } from "./sections/plan_line.ts";
import { note, type Report, right, table } from "./section.ts";

export interface NextToken {
  readonly id: number;
  readonly logit: number;
  readonly probability: number;
}

/** @param tokens of the prompt */
export function logitsReport(plan: Plan, tokens: number, next: readonly NextToken[]): Report {
  return {
    title: [planLine(plan)],
    sections: [
      {
        title: "Next token",
        blocks: [
          table(
            right("id", "logit", "probability"),
            next.map(({ id, logit, probability }) => ({
              cells: [String(id), logit.toPrecision(7), formatPercent(probability)],
            })),
          ),
          note(`after ${countOf(tokens, "token")}; each instruction's result checked`),
        ],
      },
    ],
  };
}
