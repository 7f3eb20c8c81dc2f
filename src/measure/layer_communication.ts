// How much of each layer's communication a step hides behind computation.

import { collectiveOf, isForward, type Program } from "../program/program.ts";
import type { Span, StepTrace } from "../program/trace.ts";
import { intersect, lengthOf, merge, type TimeRange } from "./intervals.ts";
import { type CommunicationSample, wholeNanoseconds } from "./sample.ts";

/** When a rank computed and communicated in a step; merged intervals. */
export interface RankTimes {
  /** Kernels of the model. */
  readonly compute: readonly TimeRange[];
  readonly computeOf: (layer: string) => readonly TimeRange[];
  /**
   * By layer. A collective's time is all that its rank spends on it, waiting for the other ranks included,
   * as a profiler sees a communication kernel.
   */
  readonly communication: ReadonlyMap<string, readonly TimeRange[]>;
}

/** Undefined where the trace has no such rank. */
export function rankTimes(program: Program, trace: StepTrace, rank: number): RankTimes | undefined {
  const spans = trace.ranks.find((each) => each.rank === rank)?.spans;
  if (spans === undefined) return undefined;
  const instructions = program.ranks[rank]?.instructions ?? [];
  const compute = new Map<string, TimeRange[]>();
  const communication = new Map<string, TimeRange[]>();
  for (const span of spans) {
    const instruction = instructions[span.instruction ?? -1];
    if (span.kind === "compute") {
      add(compute, instruction?.origin.layer ?? "", span);
    } else if (
      instruction !== undefined &&
      span.kind !== "host" &&
      collectiveOf(instruction) !== undefined &&
      isForward(instruction)
    ) {
      add(communication, instruction.origin.layer, span);
    }
  }
  return {
    compute: merge([...compute.values()].flat()),
    computeOf: (layer) => merge(compute.get(layer) ?? []),
    communication: new Map([...communication].map(([layer, times]) => [layer, merge(times)])),
  };
}

function add(times: Map<string, TimeRange[]>, layer: string, { startMs, endMs }: Span): void {
  const own = times.get(layer) ?? [];
  times.set(layer, own);
  own.push([startMs, endMs]);
}

/**
 * For each layer, on the rank that spends most time on its communication: how long a kernel of the model ran
 * meanwhile on that rank, and how long none did.
 */
export function layerCommunication(program: Program, trace: StepTrace): CommunicationSample[] {
  const perLayer = new Map<string, CommunicationSample>();
  for (const { rank } of trace.ranks) {
    const times = rankTimes(program, trace, rank);
    for (const [layer, all] of times?.communication ?? []) {
      const hiddenMs = wholeNanoseconds(lengthOf(intersect(all, times?.compute ?? [])));
      const exposedMs = wholeNanoseconds(lengthOf(all) - hiddenMs);
      const own = { layer, hiddenMs, exposedMs };
      const most = perLayer.get(layer);
      if (most === undefined || totalOf(own) > totalOf(most)) perLayer.set(layer, own);
    }
  }
  return program.layers.flatMap((layer) => perLayer.get(layer) ?? []);
}

function totalOf({ hiddenMs, exposedMs }: CommunicationSample): number {
  return hiddenMs + exposedMs;
}
