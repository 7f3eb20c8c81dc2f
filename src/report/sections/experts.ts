// How evenly tokens went to experts.

import type { Figure } from "../../measure/figure.ts";
import { formatFigure, formatNumber } from "../../measure/format.ts";
import type { RunResult } from "../../result/result.ts";
import { left, note, right, table, type Section } from "../section.ts";

export function expertsSection({ metrics: { experts } }: RunResult): Section {
  const title = "Experts";
  if (experts.length === 0) return { title, blocks: [] };
  return {
    title,
    blocks: [
      table(
        [
          ...left("layer"),
          ...right("overload", "dead", "dropped", "variance"),
          ...left("tokens per rank"),
        ],
        experts.map(
          ({ layer, overload, deadExperts, tokensPerExpert, dropRate, tokenVariance, ranks }) => ({
            cells: [
              layer,
              optional(overload),
              `${deadExperts.value} of ${tokensPerExpert.length}`,
              optional(dropRate),
              formatNumber(tokenVariance.value),
              ranks.map(({ rank, tokens }) => `${rank}: ${formatNumber(tokens)}`).join("  "),
            ],
          }),
        ),
      ),
      note(
        "measured in one step; overload: busiest rank over a balanced one; variance of tokens per expert",
      ),
    ],
  };
}

function optional(figure: Figure | undefined): string {
  return figure === undefined ? "–" : formatFigure(figure);
}
