// What an instruction takes on its rank while no other rank is at work.

import { isCollective, type Instruction } from "../program.ts";
import type { RankTrace, Span, SpanKind } from "../trace.ts";

/**
 * ms by kind. Of a transfer, readback, move and upload are the host's; of any other instruction they are work
 * of the GPU, done in its turn.
 */
export interface Cost {
  readonly host: number;
  readonly compute: number;
  readonly readback: number;
  readonly move: number;
  readonly upload: number;
  readonly reduce: number;
}

export const costKinds = ["host", "compute", "readback", "move", "upload", "reduce"] as const;

/** Something of each kind. */
export function byKind<T>(of: (kind: keyof Cost) => T): Readonly<Record<keyof Cost, T>> {
  return {
    host: of("host"),
    compute: of("compute"),
    readback: of("readback"),
    move: of("move"),
    upload: of("upload"),
    reduce: of("reduce"),
  };
}

export const noCost: Cost = byKind(() => 0);

export interface RankCosts {
  /** By index of instruction. */
  readonly instructions: readonly Cost[];
  /** What no instruction is charged with: the end of the step. */
  readonly rest: Cost;
}

/**
 * Costs of one step, waits left out. While a kernel runs, what the host does meanwhile costs nothing: so the
 * parts sum to the time that the rank was at work. Undefined where kernels of several instructions were timed as one.
 *
 * @param instructions how many the rank has
 */
export function costsOfTrace(trace: RankTrace, instructions: number): RankCosts | undefined {
  const open = (): Open => ({ ...noCost });
  const own = Array.from({ length: instructions }, open);
  const rest = open();
  const kernels = trace.spans.filter(({ kind }) => isKernel(kind));
  if (kernels.some(({ instruction }) => instruction === undefined)) return undefined;
  const kernelMs = timeWithin(kernels);
  for (const { kind, instruction, startMs, endMs } of trace.spans) {
    if (kind === "wait") continue;
    const cost = (instruction === undefined ? undefined : own[instruction]) ?? rest;
    cost[kind] += endMs - startMs - (isKernel(kind) ? 0 : kernelMs(startMs, endMs));
  }
  return { instructions: own, rest };
}

/** A stretch of time in which a rank waited though it was alone, ms. */
export interface Pause {
  readonly startMs: number;
  readonly endMs: number;
}

export interface StepAlone {
  readonly trace: RankTrace;
  /** They may overlap. */
  readonly pauses: readonly Pause[];
}

/**
 * Of a step on messages that are all there. Nobody is waited for but in `pauses`: what looks like it within a
 * transfer is the rank's own event loop on its way from one part to the next.
 */
export function costsAlone(
  { trace, pauses }: StepAlone,
  instructions: readonly Instruction[],
): RankCosts | undefined {
  const ordered = pauses.toSorted((a, b) => a.startMs - b.startMs);
  const own = trace.spans.flatMap((span): Span[] => {
    const instruction = instructions[span.instruction ?? -1];
    if (span.kind !== "wait" || instruction === undefined || !isCollective(instruction)) {
      return [span];
    }
    return gapsOf(span, ordered).map((gap) => ({ ...span, kind: "host", ...gap }));
  });
  return costsOfTrace({ ...trace, spans: own }, instructions.length);
}

/** What pauses leave of a stretch of time; in the order of their starts, they may overlap. */
function gapsOf({ startMs, endMs }: Pause, pauses: readonly Pause[]): Pause[] {
  const gaps: Pause[] = [];
  let fromMs = startMs;
  for (const pause of pauses) {
    if (pause.startMs >= endMs) break;
    if (pause.startMs > fromMs) gaps.push({ startMs: fromMs, endMs: pause.startMs });
    fromMs = Math.max(fromMs, pause.endMs);
    if (fromMs >= endMs) return gaps;
  }
  return [...gaps, { startMs: fromMs, endMs }];
}

/** How much of a stretch of time spans cover that follow one another. */
function timeWithin(spans: readonly Span[]): (startMs: number, endMs: number) => number {
  const ordered = spans.toSorted((a, b) => a.startMs - b.startMs);
  return (startMs, endMs) => {
    let low = 0;
    for (let high = ordered.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((ordered[middle]?.endMs ?? 0) <= startMs) low = middle + 1;
      else high = middle;
    }
    let covered = 0;
    for (let at = low; at < ordered.length; at++) {
      const span = ordered[at];
      if (span === undefined || span.startMs >= endMs) break;
      covered += Math.min(endMs, span.endMs) - Math.max(startMs, span.startMs);
    }
    return covered;
  };
}

type Open = { -readonly [Kind in keyof Cost]: number };

function isKernel(kind: SpanKind): boolean {
  return kind === "compute" || kind === "reduce";
}
