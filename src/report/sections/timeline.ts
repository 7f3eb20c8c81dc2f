// The step that a result keeps moment by moment: a drawing, and its longest slices as a table.

import { formatBytes, formatNumber, formatPercent } from "../../measure/format.ts";
import { type Timeline, timelineOf } from "../../measure/timeline.ts";
import type { Plan } from "../../plan/plan.ts";
import { lower, stepOf } from "../../program/lower.ts";
import type { RunResult } from "../../result/result.ts";
import { drawing, left, note, right, table, type Section } from "../section.ts";

const mostRows = 15;

/** Undefined where the result keeps no step. */
export function timelineOfResult(plan: Plan, result: RunResult): Timeline | undefined {
  const { trace, adapters, metrics } = result;
  if (trace === undefined) return undefined;
  const ids = adapters.map(({ id }) => id);
  return timelineOf(stepOf(lower(plan)), trace, ids, metrics.kernels);
}

export function timelineSection(plan: Plan, result: RunResult): Section {
  const title = "Timeline of one step";
  const { trace } = result;
  const timeline = timelineOfResult(plan, result);
  if (trace === undefined || timeline === undefined) return { title, blocks: [] };
  const slices = timeline.tracks
    .flatMap(({ rank, kind, slices: own }) => own.map((slice) => ({ ...slice, rank, track: kind })))
    .filter(({ track }) => track !== "idle")
    .toSorted((a, b) => b.endMs - b.startMs - (a.endMs - a.startMs));
  return {
    title,
    blocks: [
      drawing(
        `Step ${trace.step} of run ${trace.run + 1}, the one whose time is nearest the median; arrows are messages between ranks`,
        { form: "timeline", timeline },
      ),
      table(
        [...right("rank"), ...left("track", "what"), ...right("from", "for", "bytes", "of bound")],
        slices.slice(0, mostRows).map(({ rank, track, name, startMs, endMs, work }) => ({
          cells: [
            String(rank),
            track,
            name,
            `${formatNumber(startMs)} ms`,
            `${formatNumber(endMs - startMs)} ms`,
            work === undefined ? "–" : formatBytes(work.bytes),
            work?.reached === undefined ? "–" : formatPercent(work.reached),
          ],
        })),
      ),
      note(
        slices.length > mostRows
          ? `the ${mostRows} longest of ${formatNumber(slices.length)} slices`
          : "all slices, longest first",
      ),
    ],
  };
}
