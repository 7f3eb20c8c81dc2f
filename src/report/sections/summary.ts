// A run on one screen: what ran on what, whether its numbers are right, what became of the claims, and what limits it.

import { needText } from "../../claims/need_text.ts";
import type { Judgement, Verdict } from "../../claims/verdict.ts";
import { groupBy } from "../../group_by.ts";
import { formatFigure, formatInterval, formatPercent, samplesOf } from "../../measure/format.ts";
import { type Limit, limitsOf } from "../../measure/limits.ts";
import type { RunResult } from "../../result/result.ts";
import { fields, left, paragraph, right, table, type Section, type TonedText } from "../section.ts";
import { countedJudgements, foundIn, toned } from "./verdicts.ts";

/** Fields are as wide as `numbers`. */
const width = 9;

export function summarySection(result: RunResult): Section {
  const { metrics, samples } = result;
  const { stepMs, samplesPerSecond, tokensPerSecond } = metrics;
  const rate = metrics.serving?.outputTokensPerSecond ?? tokensPerSecond ?? samplesPerSecond;
  const step =
    stepMs === undefined
      ? ""
      : [
          `${formatFigure(stepMs)} (${samplesOf(stepMs)}${withinOf(formatInterval(stepMs))})`,
          ...(rate === undefined ? [] : [formatFigure(rate)]),
        ].join(", ");
  return {
    blocks: [
      fields(
        [
          ["ran on", ranOn(result)],
          ["scaled", scaledIn(result)],
          ["numbers", numbersIn(result)],
          ["step", samples.length === 0 ? "not timed" : step],
        ],
        width,
        0,
      ),
    ],
  };
}

function withinOf(interval: string): string {
  return interval === "" ? "" : `, 95 % within ${interval}`;
}

function ranOn({ adapters, link }: RunResult): string {
  const kinds = groupBy(adapters, ({ id }) => id);
  const each = [...kinds].map(([id, own]) => {
    const [first] = own;
    const kind = first?.software === true ? "software" : "hardware";
    const shared = own.some(({ sharedWith }) => sharedWith.length > 0) ? ", shared" : "";
    return `${own.length} × ${id} (${kind}${shared})`;
  });
  return [each.join(", "), ...(link === undefined ? [] : ["emulated links"])].join("; ");
}

function scaledIn({ scaled }: RunResult): string {
  if (scaled === undefined) return "";
  return scaled.reductions
    .map(({ dimension, full, scaled: small }) => `${dimension} ${full} → ${small}`)
    .join(", ");
}

function numbersIn({ check }: RunResult): string {
  if (check === undefined) return "not checked";
  const { error, tolerance } = check;
  const verdict = error <= tolerance ? "right" : "WRONG";
  return `${verdict}, largest relative error ${error.toExponential(1)}, accepted ${tolerance.toExponential(1)}`;
}

/** What needs a reader first comes first. */
const order: readonly Judgement[] = [
  "refuted",
  "ambiguous",
  "confirmed",
  "projected",
  "untestable",
];
const mostClaims = 5;

export function claimsSummary({ verdicts }: Pick<RunResult, "verdicts">): Section {
  if (verdicts.length === 0) return { blocks: [paragraph("The plan makes no claims.")] };
  const sorted = verdicts.toSorted(
    (a, b) => order.indexOf(a.judgement) - order.indexOf(b.judgement),
  );
  const shown = sorted.length <= mostClaims ? sorted : sorted.slice(0, mostClaims - 1);
  const rest = sorted.length - shown.length;
  return {
    blocks: [
      paragraph(countedJudgements(verdicts), "strong"),
      table(
        [
          ...left("claim"),
          ...right("claimed", "found"),
          ...left("verdict", "why, or what it needs"),
        ],
        [
          ...shown.map((verdict) => ({
            cells: [
              verdict.label,
              formatFigure(verdict.claimed),
              foundIn(verdict),
              toned(verdict.judgement),
              becauseOf(verdict),
            ],
          })),
          ...(rest === 0 ? [] : [{ cells: [`and ${rest} more`, "", "", "", ""] }]),
        ],
      ),
    ],
  };
}

function becauseOf({ needs: [need], reason, judgement }: Verdict): string {
  return need === undefined || judgement === "confirmed" ? reason : `needs ${needText(need)}`;
}

const meaning: Readonly<Record<Limit["what"], string>> = {
  idle: "idle, waiting for others",
  communication: "communicating, not computing",
  host: "host, nothing else running",
  "below the roofline": "kernels, above their bounds",
  "at the roofline": "kernels, at their bounds",
  kernels: "kernels",
};

const mostLimits = 3;

export function limitsSection({ metrics }: Pick<RunResult, "metrics">): Section {
  const limits = limitsOf(metrics).slice(0, mostLimits);
  if (limits.length === 0) return { blocks: [] };
  return {
    blocks: [
      table(
        [...left("what limits the step"), ...right("of all time"), ...left("most of it")],
        limits.map(({ what, share, most }) => ({
          cells: [meaning[what], strongPercent(share), mostOf(what, most)],
        })),
      ),
    ],
  };
}

function strongPercent(share: number): TonedText {
  return { text: formatPercent(share), tone: "strong" };
}

function mostOf(what: Limit["what"], most: Limit["most"]): string {
  if (most === undefined) return "–";
  const share = formatPercent(most.share);
  return what === "below the roofline" || what === "at the roofline"
    ? `${most.name}, ${share}`
    : `${most.name}, ${share} of its time`;
}
