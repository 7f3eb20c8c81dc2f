// What of a plan was made smaller, what stayed, and what follows for what a run tells.

import { formatBytes, formatNumber } from "../../measure/format.ts";
import type { Exceeded, ScaledRecord } from "../../result/result.ts";
import { left, note, right, table, type Section } from "../section.ts";

type Scaling = Pick<ScaledRecord, "reductions" | "kept">;

export function reductionsSection({ reductions, kept }: Scaling): Section {
  const rows = reductions.map(({ dimension, full, scaled, because }) => ({
    cells: [dimension, formatNumber(full), formatNumber(scaled)],
    prose: [[becauseOf(because)]],
  }));
  const stayed = kept.map(({ dimension, size }) => `${dimension} ${formatNumber(size)}`);
  return {
    title: "Scaled plan",
    blocks: [
      table([...left("reduced"), ...right("full", "scaled")], rows, {
        columns: [{ title: "why" }],
        place: "under its row",
      }),
      ...(stayed.length === 0 ? [] : [note(`kept: ${stayed.join(", ")}`)]),
      note(whatFollows({ reductions, kept })),
    ],
  };
}

function becauseOf(because: readonly Exceeded[]): string {
  return because.length === 0
    ? "it follows from the others"
    : `more would exceed ${because.map(exceededText).join(" and ")}`;
}

/** In a phrase. */
export function exceededText({ limit, needed, allowed }: Exceeded): string {
  switch (limit) {
    case "ranks":
      return `the ranks that the machine runs at once: ${formatNumber(needed)} of ${formatNumber(allowed)}`;
    case "binding":
      return `the adapter's maxStorageBufferBindingSize: ${formatBytes(needed)} of ${formatBytes(allowed)}`;
    case "buffer":
      return `the adapter's maxBufferSize: ${formatBytes(needed)} of ${formatBytes(allowed)}`;
    case "adapter memory":
      return `the adapter's memory: ${formatBytes(needed)} of ${formatBytes(allowed)}`;
    case "host memory":
      return `the host's memory: ${formatBytes(needed)} of ${formatBytes(allowed)}`;
    case "time":
      return `the time: about ${seconds(needed)} of ${seconds(allowed)}`;
  }
}

export function seconds(ms: number): string {
  return `${formatNumber(ms / 1000)} s`;
}

function whatFollows({ reductions }: Scaling): string {
  const changes = reductions.flatMap(({ changesLayers }) => changesLayers ?? []);
  return changes.length === 0
    ? "layers run as the full plan has them: times per layer are the full plan's, and its step is projected from them"
    : `layers do not run as the full plan has them (${changes.join("; ")}): numbers, transfers and schedule are tried, ` +
        "and the full plan's speed is not told";
}
