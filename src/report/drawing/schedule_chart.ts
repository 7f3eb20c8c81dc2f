// A schedule as a Gantt chart in text: a row per pipeline rank, time to the right, folded where it is wider than
// the terminal. A forward pass reads `3──`, a backward pass `3══`; with virtual stages a letter names the chunk.

import type { ScheduleDescription, ScheduleRow } from "../../program/schedule/describe.ts";
import type { TimedSlot } from "../../program/schedule/timeline.ts";
import { plain, type Colors } from "../render/color.ts";
import { formatPercent } from "../../measure/format.ts";
import { LINE_WIDTH } from "../render/table.ts";
import { padEnd, shortened, widthOf, wrap, wrapIndented } from "../render/text_width.ts";

/** Of one chart; what comes later is left out. */
const mostBands = 4;

/** @param width columns of the terminal, at least 30 */
export function scheduleReport(
  schedule: ScheduleDescription,
  width = LINE_WIDTH,
  colors: Colors = plain,
): string[] {
  const { rows, title, pipelineSize, microBatches } = schedule;
  const most = Math.min(width, LINE_WIDTH);
  const names = Math.min(Math.max(...rows.map(({ name }) => widthOf(name))), Math.floor(most / 4));
  const perUnit = columnsPerUnit(schedule);
  const bars = rows.map((row) => barOf(row, perUnit, schedule.virtualStages > 1));
  const chart = most - names - 2;
  const length = Math.max(...bars.map((bar) => bar.length));
  const bands = Math.ceil(length / chart);
  const lines: string[] = [];
  for (let band = 0; band < Math.min(bands, mostBands); band++) {
    for (const [i, bar] of bars.entries()) {
      const name = padEnd(shortened(rows[i]?.name ?? "", names), names);
      const part = bar.slice(band * chart, (band + 1) * chart);
      lines.push(`${colors.faint(name)}  ${part}`.trimEnd());
    }
    lines.push("");
  }
  const chunks = schedule.virtualStages === 1 ? "" : `, v = ${schedule.virtualStages}`;
  const shown = Math.min(1, (mostBands * chart) / length);
  const note = (text: string): string[] => wrapIndented(text, most, 2);
  return [
    ...wrap(`Schedule: ${title}; p = ${pipelineSize}, m = ${microBatches}${chunks}`, most).map(
      colors.strong,
    ),
    "",
    ...lines,
    ...(shown < 1
      ? note(`the first ${formatPercent(shown)} of the time; --json has all of it`)
      : []),
    ...note(legendOf(schedule)).map(colors.faint),
    ...note(bubbleOf(schedule)),
    ...note(inFlightOf(schedule)),
  ];
}

/** So many that the shortest slot still shows its number and one more column. */
function columnsPerUnit({ microBatches, virtualStages }: ScheduleDescription): number {
  return String(microBatches - 1).length + (virtualStages > 1 ? 1 : 0) + 1;
}

function barOf({ slots }: ScheduleRow, perUnit: number, hasChunks: boolean): string {
  let bar = "";
  for (const slot of slots) {
    const start = Math.round(slot.start * perUnit);
    const end = Math.round(slot.end * perUnit);
    bar = bar.padEnd(start) + cellOf(slot, end - start, hasChunks);
  }
  return bar;
}

function cellOf(
  { phase, microBatch, chunk }: TimedSlot,
  width: number,
  hasChunks: boolean,
): string {
  const letter = hasChunks ? String.fromCodePoint(97 + (chunk % 26)) : "";
  return `${microBatch}${letter}`.padEnd(width, phase === "forward" ? "─" : "═").slice(0, width);
}

function legendOf({ backward, virtualStages, rows }: ScheduleDescription): string {
  return [
    "a number is a micro-batch in its forward pass ──",
    backward === undefined ? "" : " or backward pass ══",
    backward === "synthetic" ? " (synthetic: no gradient is computed)" : "",
    virtualStages > 1 ? "; the letter is its virtual stage" : "",
    "; blank is idle. Estimated: a pass takes as long as its FLOPs",
    backward !== undefined ? ", backward twice as long as forward" : "",
    rows.length > 1 ? "; handing on takes no time" : "",
  ].join("");
}

function bubbleOf({ predicted, idleShare, pipelineSize }: ScheduleDescription): string {
  if (pipelineSize === 1) return "one pipeline rank has no bubble";
  const { overIdeal, overIdealFormula, ofTotal, ofTotalFormula } = predicted;
  return (
    `bubble predicted for equal stages: ${formatPercent(overIdeal)} of the work ${overIdealFormula} = ` +
    `${formatPercent(ofTotal)} of all time ${ofTotalFormula}; as drawn, with stages as uneven as their ` +
    `FLOPs: ${formatPercent(idleShare)} of all time`
  );
}

function inFlightOf({ rows, virtualStages, backward }: ScheduleDescription): string {
  if (backward === undefined)
    return "activations in flight: one micro-batch per stage, as nothing is kept";
  const counts = rows.map(({ inFlight }) => inFlight.join("+"));
  const alike = counts.every((count) => count === counts[0]);
  const told = alike ? `${counts[0]} on each pipeline rank` : counts.join(", ");
  return (
    `activations in flight, as ${virtualStages === 1 ? "micro-batches" : "micro-batches of each chunk"} ` +
    `per pipeline rank: ${told}`
  );
}
