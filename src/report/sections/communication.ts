// How much communication a step hides, layer by layer, and what overlap gains over the plan without it.

import type { Metrics } from "../../measure/metrics.ts";
import { countOf, formatFigure, formatInterval } from "../../measure/format.ts";
import type { IdleEffect, OverlapEffect } from "../../measure/overlap_effect.ts";
import type { RunResult } from "../../result/result.ts";
import { left, note, right, table, type Block, type Section } from "../section.ts";

export function communicationSection({
  metrics: { communication },
  overlapEffect,
}: Pick<RunResult, "overlapEffect"> & {
  readonly metrics: Pick<Metrics, "communication">;
}): Section {
  const title = "Communication per layer, one step";
  if (communication.length === 0) return { title, blocks: [] };
  return {
    title,
    blocks: [
      table(
        [...left("layer"), ...right("hidden", "95 % within", "exposed", "95 % within")],
        communication.map(({ layer, hiddenMs, exposedMs }) => ({
          cells: [
            layer,
            formatFigure(hiddenMs),
            formatInterval(hiddenMs),
            formatFigure(exposedMs),
            formatInterval(exposedMs),
          ],
        })),
      ),
      note(
        "of the rank on which it takes longest, waiting for others included; hidden: that rank computes meanwhile",
      ),
      ...(overlapEffect === undefined ? [] : overlapNotes(overlapEffect)),
    ],
  };
}

function overlapNotes(effect: OverlapEffect): Block[] {
  const { communicationMs, hideableMs, hiddenMs, hiddenShare, computeRatio } = effect;
  const slower =
    computeRatio === undefined || (computeRatio.interval?.[0] ?? computeRatio.value) <= 1
      ? ""
      : `; the communication beside it made computing ${formatFigure(computeRatio)} times as long`;
  return [
    note(
      `${formatFigure(communicationMs)} of communication without overlap, of which ${formatFigure(hideableMs)} can be hidden: ` +
        `${formatFigure(hiddenMs)} were` +
        (hiddenShare === undefined
          ? ""
          : `, ${formatFigure(hiddenShare)} (95 % within ${formatInterval(hiddenShare)})`) +
        slower,
      "plain",
    ),
    ...(effect.core === undefined ? [] : [note(coreText(effect.core), "plain")]),
    verdictOn(effect),
  ];
}

/** Says so where overlap gains nothing: it splits kernels and costs round trips. */
function verdictOn({ stepRatio }: OverlapEffect): Block {
  const [low, high] = stepRatio.interval ?? [stepRatio.value, stepRatio.value];
  const step = `${formatFigure(stepRatio)} of the time without overlap (95 % within ${formatInterval(stepRatio)}; ${countOf(stepRatio.samples, "round")} in turn)`;
  if (low > 1) return note(`warning: overlap made the step slower: ${step}`, "bad");
  const verdict = high < 1 ? "overlap makes the step faster" : "overlap makes no clear difference";
  return note(`${verdict}: ${step}`, "plain");
}

function coreText({ idleMs, hideableMs, hiddenMs, hiddenShare, moreWorkMs }: IdleEffect): string {
  return (
    `each rank has one core for all it does, its GPU included, so that only time which the core idles can be hidden: ` +
    `of ${formatFigure(idleMs)} without overlap ${formatFigure(hideableMs)}; ${formatFigure(hiddenMs)} were` +
    (hiddenShare === undefined
      ? ""
      : `, ${formatFigure(hiddenShare)} (95 % within ${formatInterval(hiddenShare)})`) +
    `; blocks made ${formatFigure(moreWorkMs)} more work for the core`
  );
}
