// Plays the instructions of all ranks against given peaks, as they are lowered, for the least time of a step.

import type { Bound, Peaks, StepSize } from "./bound.ts";
import { inRepetition, type Work, workOf } from "./bound_work.ts";
import type { Instruction } from "./program.ts";
import type { WireCount } from "./wire.ts";

export interface Clock {
  /** What is added from now on is part of that layer's lowering. */
  begin(layer: string): void;
  /** One micro-batch, in the order of lowering. */
  add(rank: number, instruction: Instruction): void;
  /** Throws where a rank waits for what no rank sends. */
  bound(step: StepSize): Bound;
}

/** Where the members of a transfer meet. */
interface Meeting {
  /** Givers that have not reached it. */
  missing: number;
  /** When the last giver reached it. */
  readyMs: number;
  readonly blocked: number[];
}

interface RankClock {
  nowMs: number;
  waitMs: number | undefined;
  kernelMs: number;
  wireMs: number;
  /** Of `wireMs`, what the rank may spend computing. */
  startedWireMs: number;
  /** When its last started transfer is over at the earliest. */
  linkFreeMs: number;
  readonly started: Map<number, { readonly work: Work; readonly startMs: number }>;
  /** What comes after a transfer that is not complete yet, itself included: from `next` on. */
  queue: Work[];
  next: number;
  /** What the rank does in layers that stand for others, until the layers behind them come. */
  repeated: Work[];
  /** Whether it is among the blocked of a meeting. */
  isBlocked: boolean;
  /** Whether the first of the queue has been given already. */
  hasSent: boolean;
}

/**
 * @param ranks how many
 * @param timesOf how many layers in a row the lowering of one stands for, see `shorten`
 */
export function createClock(
  ranks: number,
  peaks: Peaks,
  wireBytes: WireCount,
  timesOf: (layer: string) => number = () => 1,
): Clock {
  const running: Running = {
    clocks: Array.from({ length: ranks }, newClock),
    meetings: new Map(),
    memoryBoundMs: 0,
  };
  const { clocks } = running;
  const perLayer = new Map<string, Map<number, number>>();
  /** How many layers those that are being lowered stand for. */
  let times = 1;
  const begin = (nextTimes: number): void => {
    if (nextTimes === times) return;
    for (const [rank, clock] of clocks.entries()) {
      const works = clock.repeated;
      clock.repeated = [];
      for (let time = 1; time < times; time++) {
        push(
          running,
          rank,
          works.map((work) => inRepetition(work, time)),
        );
      }
    }
    times = nextTimes;
  };
  return {
    begin: (layer) => begin(timesOf(layer)),
    add(rank, instruction) {
      const clock = clocks[rank];
      if (clock === undefined || instruction.op === "observe" || instruction.op === "input") return;
      const { phase, layer } = instruction.origin;
      // It comes once a step, and a bound without it holds, too.
      if (phase === "update") return;
      const work = workOf(rank, instruction, peaks, wireBytes);
      const own = perLayer.get(layer) ?? new Map<number, number>();
      perLayer.set(layer, own);
      own.set(rank, (own.get(rank) ?? 0) + work.kernelMs + work.wireMs);
      if (phase === "backward") {
        // Behind all layers, one instruction for all those that the layer stands for.
        begin(1);
        push(
          running,
          rank,
          Array.from({ length: timesOf(layer) }, (_, time) => inRepetition(work, time)),
        );
        return;
      }
      if (times > 1) clock.repeated.push(work);
      push(running, rank, [work]);
    },
    bound(step) {
      begin(1);
      return {
        ...boundOf(running, step),
        peaks,
        layers: [...perLayer].map(([layer, byRank]) => ({
          layer,
          ms: largest([...byRank.values()], (each) => each),
        })),
      };
    },
  };
}

interface Running {
  readonly clocks: readonly RankClock[];
  /** By channel. */
  readonly meetings: Map<number, Meeting>;
  memoryBoundMs: number;
}

function newClock(): RankClock {
  return {
    nowMs: 0,
    waitMs: undefined,
    kernelMs: 0,
    wireMs: 0,
    startedWireMs: 0,
    linkFreeMs: 0,
    started: new Map(),
    queue: [],
    next: 0,
    repeated: [],
    isBlocked: false,
    hasSent: false,
  };
}

function push(running: Running, rank: number, works: readonly Work[]): void {
  const clock = running.clocks[rank];
  if (clock === undefined) return;
  for (const work of works) clock.queue.push(work);
  if (clock.isBlocked) return;
  const able = [rank];
  for (let next = able.pop(); next !== undefined; next = able.pop()) advance(running, next, able);
}

/** Does what this rank can do by now; the ranks that this lets go on join `able`. */
function advance(running: Running, rank: number, able: number[]): void {
  const clock = running.clocks[rank];
  if (clock === undefined) return;
  clock.isBlocked = false;
  for (let work = clock.queue[clock.next]; work !== undefined; work = clock.queue[clock.next]) {
    const missed = meet(running, clock, work, able) ?? awaitStarted(running, rank, clock, work);
    if (missed !== undefined) {
      clock.isBlocked = true;
      missed.blocked.push(rank);
      return;
    }
    clock.next += 1;
    clock.hasSent = false;
    clock.waitMs ??= clock.nowMs;
    clock.kernelMs += work.kernelMs;
    running.memoryBoundMs += work.memoryBoundMs ?? 0;
    clock.wireMs += work.wireMs;
    clock.nowMs += work.kernelMs;
    if (work.transfer?.isStarted === true) clock.startedWireMs += work.wireMs;
    else clock.nowMs += work.wireMs;
  }
  clock.queue = [];
  clock.next = 0;
}

/** Sends and receives what the rank is to; the meeting whose givers are not all there yet. */
function meet(
  { meetings }: Running,
  clock: RankClock,
  work: Work,
  able: number[],
): Meeting | undefined {
  if (work.transfer === undefined) return undefined;
  const { channel, sends, receives, isStarted } = work.transfer;
  const meeting = meetings.get(channel) ?? { missing: work.givers ?? 0, readyMs: 0, blocked: [] };
  meetings.set(channel, meeting);
  if (sends && !clock.hasSent) {
    clock.hasSent = true;
    meeting.missing -= 1;
    meeting.readyMs = Math.max(meeting.readyMs, clock.nowMs);
    if (meeting.missing === 0) able.push(...meeting.blocked.splice(0));
  }
  if (isStarted) {
    clock.started.set(channel, { work, startMs: clock.nowMs });
  } else if (receives) {
    if (meeting.missing > 0) return meeting;
    clock.nowMs = Math.max(clock.nowMs, meeting.readyMs);
  }
  return undefined;
}

/** The meeting of what was started before, where its givers are not all there yet. */
function awaitStarted(
  { meetings }: Running,
  rank: number,
  clock: RankClock,
  { awaits }: Work,
): Meeting | undefined {
  if (awaits === undefined) return undefined;
  const meeting = meetings.get(awaits);
  const started = clock.started.get(awaits);
  if (meeting === undefined || started === undefined) {
    throw new Error(`rank ${rank} waits for channel ${awaits}, on which nothing was started`);
  }
  const receives = started.work.transfer?.receives === true;
  if (receives && meeting.missing > 0) return meeting;
  const begin = Math.max(started.startMs, receives ? meeting.readyMs : 0, clock.linkFreeMs);
  clock.linkFreeMs = begin + started.work.wireMs;
  clock.nowMs = Math.max(clock.nowMs, clock.linkFreeMs);
  clock.started.delete(awaits);
  return undefined;
}

function boundOf(
  { clocks, memoryBoundMs }: Running,
  { batch, tokens, microBatches }: StepSize,
): Omit<Bound, "peaks" | "layers"> {
  const blocked = clocks.findIndex(({ queue }) => queue.length > 0);
  if (blocked >= 0) throw new Error(`rank ${blocked} waits for what no rank sends`);
  // Of kernels and the transfers beside them, the shorter may be hidden altogether.
  const rankMs = clocks.map(
    ({ waitMs = 0, kernelMs, wireMs, startedWireMs }) =>
      waitMs + microBatches * (wireMs - startedWireMs + Math.max(kernelMs, startedWireMs)),
  );
  const microBatchMs = largest(clocks, ({ nowMs }) => nowMs);
  const kernelMs = clocks.reduce((sum, clock) => sum + clock.kernelMs, 0);
  const stepMs = Math.max(
    largest(rankMs, (each) => each),
    microBatchMs,
  );
  return {
    microBatchMs,
    stepMs,
    samplesPerSecond: (1000 * batch) / stepMs,
    tokensPerSecond: (1000 * tokens) / stepMs,
    memoryBoundShare: kernelMs === 0 ? 0 : memoryBoundMs / kernelMs,
    ranks: clocks.map(({ waitMs = 0, ...own }, rank) => ({
      rank,
      waitMs,
      kernelMs: own.kernelMs * microBatches,
      wireMs: own.wireMs * microBatches,
    })),
  };
}

function largest<T>(items: readonly T[], of: (item: T) => number): number {
  let most = 0;
  for (const item of items) most = Math.max(most, of(item));
  return most;
}
