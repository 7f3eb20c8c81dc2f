// How much communication a step hides, layer by layer, and what overlap gains over the plan without it.

import type { Metrics } from "../measure/metrics.ts";
import type { Colours } from "./colour.ts";
import { countOf, formatFigure, formatInterval } from "../measure/format.ts";
import type { IdleEffect, OverlapEffect } from "../measure/overlap_effect.ts";
import type { RunResult } from "../result/result.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { wrapIndented } from "./text_width.ts";

export const communicationLines = (
  {
    metrics,
    overlapEffect,
  }: Pick<RunResult, "overlapEffect"> & { readonly metrics: Pick<Metrics, "communication"> },
  colours: Colours,
): string[] => {
  if (metrics.communication.length === 0) return [];
  return [
    ...table(
      [
        { title: "layer", align: "left" },
        { title: "hidden" },
        { title: "95 % within" },
        { title: "exposed" },
        { title: "95 % within" },
      ],
      metrics.communication.map(({ layer, hiddenMs, exposedMs }) => ({
        cells: [
          layer,
          formatFigure(hiddenMs),
          formatInterval(hiddenMs),
          formatFigure(exposedMs),
          formatInterval(exposedMs),
        ],
      })),
      colours,
    ),
    ...wrapIndented(
      "of the rank on which it takes longest, waiting for others included; hidden: that rank computes meanwhile",
      LINE_WIDTH,
      2,
    ).map(colours.faint),
    ...overlapEffectLines(overlapEffect, colours),
  ];
};

/** Says so where overlap gains nothing: it splits kernels and costs round trips. */
const overlapEffectLines = (effect: OverlapEffect | undefined, colours: Colours): string[] => {
  if (effect === undefined) return [];
  const { stepRatio, communicationMs, hideableMs, hiddenMs, hiddenShare, computeRatio } = effect;
  const lines = (text: string): string[] => wrapIndented(text, LINE_WIDTH, 2);
  const [low, high] = stepRatio.interval ?? [stepRatio.value, stepRatio.value];
  const step = `${formatFigure(stepRatio)} of the time without overlap (95 % within ${formatInterval(stepRatio)}; ${countOf(stepRatio.samples, "round")} in turn)`;
  const verdict = high < 1 ? "overlap makes the step faster" : "overlap makes no clear difference";
  const slower =
    computeRatio === undefined || (computeRatio.interval?.[0] ?? computeRatio.value) <= 1
      ? ""
      : `; the communication beside it made computing ${formatFigure(computeRatio)} times as long`;
  return [
    ...lines(
      `${formatFigure(communicationMs)} of communication without overlap, of which ${formatFigure(hideableMs)} can be hidden: ` +
        `${formatFigure(hiddenMs)} were` +
        (hiddenShare === undefined
          ? ""
          : `, ${formatFigure(hiddenShare)} (95 % within ${formatInterval(hiddenShare)})`) +
        slower,
    ),
    ...(effect.core === undefined ? [] : lines(coreText(effect.core))),
    ...(low > 1
      ? lines(`warning: overlap made the step slower: ${step}`).map(colours.bad)
      : lines(`${verdict}: ${step}`)),
  ];
};

const coreText = ({ idleMs, hideableMs, hiddenMs, hiddenShare, moreWorkMs }: IdleEffect): string =>
  `each rank has one core for all it does, its GPU included, so that only time which the core idles can be hidden: ` +
  `of ${formatFigure(idleMs)} without overlap ${formatFigure(hideableMs)}; ${formatFigure(hiddenMs)} were` +
  (hiddenShare === undefined
    ? ""
    : `, ${formatFigure(hiddenShare)} (95 % within ${formatInterval(hiddenShare)})`) +
  `; blocks made ${formatFigure(moreWorkMs)} more work for the core`;
