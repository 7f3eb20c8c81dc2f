// The timeline of a step, as the page's script draws it.

import { formatBytes, formatFlops, formatPercent } from "../../measure/format.ts";
import type { Slice, Timeline } from "../../measure/timeline.ts";
import type { TimelineChart } from "../chart.ts";
import { inert } from "./inert.ts";

/** What `page/timeline.js` reads. Times are in whole microseconds: numbers are most of a report's size. */
interface TimelineData {
  readonly wall: number;
  readonly lanes: readonly {
    readonly label: string;
    readonly kind: string;
    readonly rank: number;
  }[];
  readonly texts: readonly string[];
  /** By lane: start, end, and index of its text, three numbers a slice. */
  readonly slices: readonly (readonly number[])[];
  /** Lane and µs of sender, lane and µs of receiver, and index of its text. */
  readonly flows: readonly (readonly number[])[];
}

export function timelineHtml({ timeline }: TimelineChart): string {
  // No text of a plan ends the script that holds it.
  const json = JSON.stringify(dataOf(timeline)).replaceAll("<", "\\u003c");
  return (
    `<div class="timeline"><div class="buttons" role="group" aria-label="timeline">` +
    ["zoom in", "zoom out", "earlier", "later", "all"]
      .map((name) => `<button type="button" data-do="${name}">${name}</button>`)
      .join("") +
    `</div><div class="lanes" tabindex="0" role="img" aria-label="timeline of a step; the table below says the same"></div>` +
    `<p class="hover" aria-live="polite">Point at a slice, or focus the timeline and press n for the next one. Drag to zoom, + and - to zoom, arrows to move.</p>` +
    `<script type="application/json">${json}</script></div>`
  );
}

function dataOf({ wallMs, tracks, flows }: Timeline): TimelineData {
  const places = new Map<string, number>();
  const textAt = (text: string): number => {
    const shown = inert(text);
    const place = places.get(shown) ?? places.size;
    places.set(shown, place);
    return place;
  };
  const laneOf = new Map<number, number>();
  for (const [lane, { rank, kind }] of tracks.entries()) {
    if (kind === "communication" && !laneOf.has(rank)) laneOf.set(rank, lane);
  }
  const slices = tracks.map(({ slices: own }) =>
    own.flatMap((slice) => [us(slice.startMs), us(slice.endMs), textAt(textOf(slice))]),
  );
  return {
    wall: us(wallMs),
    lanes: tracks.map(({ rank, kind, place }) => ({
      label: place === 0 ? `${rank} ${kind}` : "",
      kind,
      rank,
    })),
    slices,
    flows: flows.flatMap(({ name, from, to, startMs, endMs, bytes }) => {
      const [sender, receiver] = [laneOf.get(from), laneOf.get(to)];
      if (sender === undefined || receiver === undefined) return [];
      const text = `${name} from ${from} to ${to}, ${formatBytes(bytes)}`;
      return [[sender, us(startMs), receiver, us(endMs), textAt(text)]];
    }),
    texts: [...places.keys()],
  };
}

function us(ms: number): number {
  return Math.round(1000 * ms);
}

/** What a slice says of itself, but for its time. */
function textOf({ name, kind, work }: Slice): string {
  if (work === undefined) return name;
  const { flops, bytes, reached } = work;
  const what = flops === undefined ? `${kind} of ${name}` : name;
  return [
    what,
    ...(flops === undefined || flops === 0 ? [] : [formatFlops(flops)]),
    formatBytes(bytes),
    ...(reached === undefined ? [] : [`${formatPercent(reached)} of its bound`]),
  ].join(", ");
}
