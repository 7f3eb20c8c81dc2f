// Where a rank's share of a step's wall time went.
//
// Spans of a rank overlap (the GPU computes while bytes move), so each moment goes to the first kind
// that covers it in this order: compute, reduce, upload, readback, move, wait, host. Time before the
// rank's start and after its end is idle. Whatever no span covers is unattributed, not shared out.

import type { HostItems, RankTrace, SpanKind } from "../program/trace.ts";
import { type RankSample, wholeNanoseconds } from "./sample.ts";
import { clip, intersect, lengthOf, merge, subtract, type TimeRange } from "./intervals.ts";

export function breakDown(trace: RankTrace, wallMs: number): RankSample {
  const byKind = new Map<SpanKind, TimeRange[]>();
  for (const { kind, startMs, endMs } of trace.spans) {
    const own = byKind.get(kind) ?? [];
    if (own.push([startMs, endMs]) === 1) byKind.set(kind, own);
  }
  const timesOf = (kinds: readonly SpanKind[]): TimeRange[] =>
    merge(
      clip(
        kinds.flatMap((kind) => byKind.get(kind) ?? []),
        0,
        wallMs,
      ),
    );
  const outside = merge(
    clip(
      [
        [0, trace.startMs],
        [trace.endMs, wallMs],
      ],
      0,
      wallMs,
    ),
  );
  let free: readonly TimeRange[] = [[0, wallMs]];
  const claim = (times: readonly TimeRange[]): number => {
    const before = lengthOf(free);
    free = subtract(free, times);
    return wholeNanoseconds(before - lengthOf(free));
  };
  // In order of precedence: each takes what those before it left.
  const computeMs = claim(timesOf(["compute"]));
  const reduceMs = claim(timesOf(["reduce"]));
  const uploadMs = claim(timesOf(["upload"]));
  const readbackMs = claim(timesOf(["readback"]));
  const moveMs = claim(timesOf(["move"]));
  const idleMs = claim(merge([...timesOf(["wait"]), ...outside]));
  const hostMs = claim(timesOf(["host"]));
  const communicating = timesOf(["readback", "move", "reduce", "upload"]);
  return {
    rank: trace.rank,
    ...(trace.host === undefined ? {} : { hostItems: roundedItems(trace.host) }),
    computeMs,
    reduceMs,
    uploadMs,
    readbackMs,
    moveMs,
    idleMs,
    hostMs,
    unattributedMs: wholeNanoseconds(lengthOf(free)),
    busyMs: wholeNanoseconds(lengthOf(timesOf(["compute", "reduce"]))),
    communicatingMs: wholeNanoseconds(lengthOf(communicating)),
    overlappedMs: wholeNanoseconds(lengthOf(intersect(timesOf(["compute"]), communicating))),
  };
}

function roundedItems({ instructions, encodeMs, submitMs, mapMs, wakeMs }: HostItems): HostItems {
  return {
    instructions,
    encodeMs: wholeNanoseconds(encodeMs),
    submitMs: wholeNanoseconds(submitMs),
    mapMs: wholeNanoseconds(mapMs),
    wakeMs: wholeNanoseconds(wakeMs),
  };
}
