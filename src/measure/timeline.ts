// A step moment by moment, to be looked at: tracks of slices that do not overlap, and the messages between ranks.

import { groupBy } from "../group_by.ts";
import { describeInstruction } from "../program/describe_instruction.ts";
import { collectiveOf, type Instruction, type Program } from "../program/program.ts";
import { kernelWorkOf, workKey } from "../program/kernel_work.ts";
import type { RankTrace, Span, SpanKind, StepTrace } from "../program/trace.ts";
import { createWireCount } from "../program/wire.ts";
import { type Flow, messagesOf } from "./messages.ts";
import type { KernelMetrics } from "./roofline.ts";

export type TrackKind = "compute" | "communication" | "host" | "idle";

export const trackKinds: readonly TrackKind[] = ["compute", "communication", "host", "idle"];

export interface Track {
  readonly rank: number;
  readonly kind: TrackKind;
  /** Of tracks of that rank and kind: slices that overlap lie on several. */
  readonly place: number;
  /** In order of time; none begins before the one before it ends. */
  readonly slices: readonly Slice[];
}

export interface Slice extends Span {
  readonly name: string;
  /** Of the whole instruction, however many slices it has. */
  readonly work?: SliceWork;
}

export interface SliceWork {
  /** Of a kernel. */
  readonly flops?: number;
  /** Of a kernel through global memory, of a collective from and to other ranks. */
  readonly bytes: number;
  /** Of a kernel: the least time that its adapter allows over the time that it took here. */
  readonly reached?: number;
}

export interface Timeline {
  readonly wallMs: number;
  readonly tracks: readonly Track[];
  readonly flows: readonly Flow[];
}

/**
 * @param program of which `trace` is a step
 * @param adapters by rank
 * @param kernels whose bounds are known
 */
export function timelineOf(
  program: Program,
  trace: StepTrace,
  adapters: readonly string[],
  kernels: readonly KernelMetrics[],
): Timeline {
  const leastMs = new Map<string, number>();
  for (const { bound, ...work } of kernels) {
    if (bound !== undefined) leastMs.set(`${work.adapter} ${workKey(work)}`, bound.leastMs);
  }
  const wire = createWireCount();
  const tracks = trace.ranks.flatMap((rank) => {
    const { instructions = [] } = program.ranks[rank.rank] ?? {};
    const workOf = (index: number, spans: readonly Span[]): SliceWork | undefined => {
      const instruction = instructions[index];
      if (instruction === undefined) return undefined;
      const collective = collectiveOf(instruction);
      if (collective !== undefined) {
        const { sent, received } = wire(collective, rank.rank);
        return { bytes: sent + received };
      }
      const key = (work: Parameters<typeof workKey>[0]) =>
        `${adapters[rank.rank] ?? ""} ${workKey(work)}`;
      return kernelSlice(instruction, spans, (work) => leastMs.get(key(work)));
    };
    return tracksOf(rank, instructions, workOf, trace.wallMs);
  });
  return { wallMs: trace.wallMs, tracks, flows: messagesOf(program, trace) };
}

function kernelSlice(
  instruction: Instruction,
  spans: readonly Span[],
  leastOf: (work: Parameters<typeof workKey>[0]) => number | undefined,
): SliceWork | undefined {
  const work = kernelWorkOf(instruction);
  if (work === undefined) return undefined;
  const least = leastOf(work);
  const ms = spans.reduce(
    (sum, { kind, startMs, endMs }) => sum + (kind === "compute" ? endMs - startMs : 0),
    0,
  );
  return {
    flops: work.flops,
    bytes: work.bytes,
    ...(least === undefined || ms === 0 ? {} : { reached: least / ms }),
  };
}

/** Of a rank, one for each kind that it has, and more where slices overlap. */
function tracksOf(
  rank: RankTrace,
  instructions: readonly Instruction[],
  workOf: (index: number, spans: readonly Span[]) => SliceWork | undefined,
  wallMs: number,
): Track[] {
  const outside: Span[] = [
    { kind: "wait" as const, startMs: 0, endMs: rank.startMs },
    { kind: "wait" as const, startMs: rank.endMs, endMs: wallMs },
  ].filter(({ startMs, endMs }) => endMs > startMs);
  const byInstruction = groupBy(rank.spans, ({ instruction }) => instruction);
  const works = new Map(
    [...byInstruction].map(([index, spans]) => [
      index,
      index === undefined ? undefined : workOf(index, spans),
    ]),
  );
  const slices = [...rank.spans, ...outside].map((span): Slice => {
    const instruction = span.instruction === undefined ? undefined : instructions[span.instruction];
    const work = works.get(span.instruction);
    const isWorking = span.kind !== "wait" && span.kind !== "host";
    return {
      ...span,
      name: instruction === undefined ? nameWithout(span.kind) : describeInstruction(instruction),
      ...(work === undefined || !isWorking ? {} : { work }),
    };
  });
  const byKind = groupBy(slices, ({ kind }) => trackKindOf(kind));
  return trackKinds.flatMap((kind) =>
    withoutOverlap(byKind.get(kind) ?? []).map((own, place) => ({
      rank: rank.rank,
      kind,
      place,
      slices: own,
    })),
  );
}

function nameWithout(kind: SpanKind): string {
  return kind === "wait" ? "nothing to do" : `${kind} between instructions`;
}

export function trackKindOf(kind: SpanKind): TrackKind {
  if (kind === "compute" || kind === "host") return kind;
  return kind === "wait" ? "idle" : "communication";
}

/** Each slice on the first list whose last one has ended. */
function withoutOverlap(slices: readonly Slice[]): Slice[][] {
  const lists: Slice[][] = [];
  for (const slice of slices.toSorted((a, b) => a.startMs - b.startMs || b.endMs - a.endMs)) {
    const free = lists.find((list) => (list.at(-1)?.endMs ?? 0) <= slice.startMs);
    if (free === undefined) lists.push([slice]);
    else free.push(slice);
  }
  return lists;
}
