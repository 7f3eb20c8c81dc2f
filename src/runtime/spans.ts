// From what host and GPU were doing to the spans of a trace. Pure.
//
// The host is always in exactly one activity, so its segments cover a step without a gap. While it awaits
// the GPU, the GPU's own times say more: kernels have spans of their own, and what is left of the waiting
// is charged to whatever the GPU did before the next kernel.

import type { Span, SpanKind } from "../program/trace.ts";
import type { HostActivity } from "../collectives/context.ts";

/** `drain` awaits the GPU as `readback` does, but for no bytes. */
export type Activity = HostActivity | "drain";

/** Times in ms, on any axis. */
export interface Segment {
  readonly activity: Activity;
  readonly instruction?: number;
  /** Passes of this step that the GPU had been given when the segment began. */
  readonly submittedPasses: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** A kernel on the GPU. */
export interface GpuPass {
  readonly instruction: number;
  readonly kind: "compute" | "reduce";
  /** What the GPU had to do between the pass before it and this one. */
  readonly before: "host" | "move" | "upload";
}

export interface TimedPass extends GpuPass {
  readonly startMs: number;
  readonly endMs: number;
}

/** @param segments in the order in which they began */
export function spansOf(segments: readonly Segment[], passes: readonly TimedPass[]): Span[] {
  const ordered = passes.toSorted((a, b) => a.startMs - b.startMs);
  /** No later segment has anything of the passes before. */
  let from = 0;
  return [
    ...ordered.map(({ instruction, kind, startMs, endMs }) =>
      spanOf(kind, startMs, endMs, instruction),
    ),
    ...segments.flatMap((segment) => {
      while ((ordered[from]?.endMs ?? Infinity) <= segment.startMs) from += 1;
      return hostSpans(segment, ordered, from);
    }),
  ].toSorted((a, b) => a.startMs - b.startMs);
}

/** In words, the first pass that cannot have run when the GPU says; clocks may differ by a little. */
export function findMisplaced(
  segments: readonly Segment[],
  passes: readonly TimedPass[],
): string | undefined {
  const stepStartMs = segments[0]?.startMs ?? 0;
  const stepMs = (segments.at(-1)?.endMs ?? 0) - stepStartMs;
  const toleranceMs = 1 + stepMs / 1000;
  const pass = passes.find(
    ({ startMs, endMs }) =>
      !(
        startMs <= endMs &&
        startMs >= stepStartMs - toleranceMs &&
        endMs <= stepStartMs + stepMs + toleranceMs
      ),
  );
  if (pass === undefined) return undefined;
  const [from, to] = [pass.startMs, pass.endMs].map((ms) => (ms - stepStartMs).toFixed(3));
  return `instruction ${pass.instruction + 1} ran from ${from} to ${to} ms of a step of ${stepMs.toFixed(3)} ms`;
}

/** Where passes cannot be timed, the time that the host awaits the GPU stands for its kernels. */
export function spansWithoutTimestamps(
  segments: readonly Segment[],
  passes: readonly GpuPass[],
): Span[] {
  let done = 0;
  return segments.map((segment) => {
    const { activity, startMs, endMs, instruction, submittedPasses } = segment;
    const awaited = awaitsGpu(activity) ? passes.slice(done, submittedPasses) : [];
    done += awaited.length;
    const [first] = awaited;
    if (first === undefined) return spanOf(kindOf(activity), startMs, endMs, instruction);
    return awaited.every((pass) => pass.instruction === first.instruction)
      ? spanOf(first.kind, startMs, endMs, first.instruction)
      : spanOf("compute", startMs, endMs, undefined);
  });
}

/**
 * From the end of the last kernel to the end of each wait for nothing but the GPU, in ms together.
 *
 * @param segments one after another
 */
export function wakingMs(segments: readonly Segment[], passes: readonly TimedPass[]): number {
  const ends = Float64Array.from(passes, ({ endMs }) => endMs).toSorted();
  let ended = 0;
  let sum = 0;
  for (const { activity, startMs, endMs } of segments) {
    if (activity !== "drain") continue;
    while ((ends[ended] ?? Infinity) <= endMs) ended += 1;
    sum += endMs - Math.max(startMs, ends[ended - 1] ?? -Infinity);
  }
  return sum;
}

function awaitsGpu(activity: Activity): boolean {
  return activity === "readback" || activity === "drain";
}

function kindOf(activity: Activity): SpanKind {
  return activity === "drain" ? "host" : activity;
}

function spanOf(
  kind: SpanKind,
  startMs: number,
  endMs: number,
  instruction: number | undefined,
): Span {
  return { kind, startMs, endMs, ...(instruction === undefined ? {} : { instruction }) };
}

/** @param from index of the first pass that may have ended within the segment or after it */
function hostSpans(segment: Segment, passes: readonly TimedPass[], from: number): Span[] {
  const { activity, instruction, startMs, endMs } = segment;
  if (!awaitsGpu(activity)) return [spanOf(kindOf(activity), startMs, endMs, instruction)];
  const spans: Span[] = [];
  let time = startMs;
  for (let at = from; at < passes.length; at += 1) {
    const pass = passes[at];
    if (pass === undefined || pass.startMs >= endMs) break;
    if (pass.endMs <= time) continue;
    if (pass.startMs > time) {
      spans.push(spanOf(pass.before, time, pass.startMs, pass.instruction));
    }
    time = pass.endMs;
  }
  if (time < endMs) spans.push(spanOf(kindOf(activity), time, endMs, instruction));
  return spans;
}
