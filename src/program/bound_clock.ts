// Plays the instructions of all ranks against given peaks, as they are lowered, for the least time of a step.

import type { Bound, Peaks, StepSize } from "./bound.ts";
import { collectiveOf, type Instruction } from "./program.ts";
import { instructionFlops, kernelBytesOf } from "./tally.ts";
import type { WireCount } from "./wire.ts";

export interface Clock {
  /** What is added from now on is part of that layer's lowering. */
  begin(layer: string): void;
  /** One micro-batch, in the order of lowering. */
  add(rank: number, instruction: Instruction): void;
  /** Throws where a rank waits for what no rank sends. */
  bound(step: StepSize): Bound;
}

interface Work {
  readonly kernelMs: number;
  /** Of `kernelMs`, what memory makes longer than the arithmetic. */
  readonly memoryBoundMs?: number;
  readonly wireMs: number;
  readonly transfer?: {
    readonly channel: number;
    readonly sends: boolean;
    readonly receives: boolean;
    /** The rank goes on meanwhile, up to `awaits`. */
    readonly isStarted: boolean;
  };
  /** Channel of a transfer that was started before. */
  readonly awaits?: number;
  /** Members that give. */
  readonly givers?: number;
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

/** Channels of a repetition are told apart by multiples of it. */
const channelsOfAll = 2 ** 24;

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
  const clocks = Array.from({ length: ranks }, (): RankClock => ({
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
  }));
  const meetings = new Map<number, Meeting>();
  const perLayer = new Map<string, Map<number, number>>();
  let memoryBoundMs = 0;

  const workOf = (rank: number, instruction: Instruction): Work => {
    if (instruction.op === "done") return { kernelMs: 0, wireMs: 0, awaits: instruction.channel };
    const arithmeticMs = (1000 * instructionFlops(instruction)) / peaks.flops;
    const collective = collectiveOf(instruction);
    if (collective === undefined) {
      const memoryMs = msOf(kernelBytesOf(instruction), peaks.bandwidth);
      return memoryMs > arithmeticMs
        ? { kernelMs: memoryMs, wireMs: 0, memoryBoundMs: memoryMs }
        : { kernelMs: arithmeticMs, wireMs: 0 };
    }
    const { channel, from, to } = collective;
    const { largestPiece } = wireBytes(collective, rank);
    return {
      kernelMs: arithmeticMs,
      wireMs: msOf(largestPiece, peaks.linkBandwidth),
      transfer: {
        channel,
        sends: from.includes(rank),
        receives: to.includes(rank),
        isStarted: instruction.op === "start",
      },
      givers: from.length,
    };
  };

  /** Does what this rank can do by now; returns the ranks that this lets go on. */
  const advance = (rank: number): readonly number[] => {
    const clock = clocks[rank];
    const freed: number[] = [];
    if (clock === undefined) return freed;
    clock.isBlocked = false;
    for (let work = clock.queue[clock.next]; work !== undefined; work = clock.queue[clock.next]) {
      const { transfer } = work;
      if (transfer !== undefined) {
        const { channel, sends, receives, isStarted } = transfer;
        const meeting = meetings.get(channel) ?? {
          missing: work.givers ?? 0,
          readyMs: 0,
          blocked: [],
        };
        meetings.set(channel, meeting);
        if (sends && !clock.hasSent) {
          clock.hasSent = true;
          meeting.missing -= 1;
          meeting.readyMs = Math.max(meeting.readyMs, clock.nowMs);
          if (meeting.missing === 0) freed.push(...meeting.blocked.splice(0));
        }
        if (isStarted) {
          clock.started.set(channel, { work, startMs: clock.nowMs });
        } else if (receives) {
          if (meeting.missing > 0) {
            clock.isBlocked = true;
            meeting.blocked.push(rank);
            return freed;
          }
          clock.nowMs = Math.max(clock.nowMs, meeting.readyMs);
        }
      }
      if (work.awaits !== undefined) {
        const meeting = meetings.get(work.awaits);
        const started = clock.started.get(work.awaits);
        if (meeting === undefined || started === undefined) {
          throw new Error(
            `rank ${rank} waits for channel ${work.awaits}, on which nothing was started`,
          );
        }
        if (started.work.transfer?.receives === true && meeting.missing > 0) {
          clock.isBlocked = true;
          meeting.blocked.push(rank);
          return freed;
        }
        const ready = started.work.transfer?.receives === true ? meeting.readyMs : 0;
        const begin = Math.max(started.startMs, ready, clock.linkFreeMs);
        clock.linkFreeMs = begin + started.work.wireMs;
        clock.nowMs = Math.max(clock.nowMs, clock.linkFreeMs);
        clock.started.delete(work.awaits);
      }
      clock.next += 1;
      clock.hasSent = false;
      clock.waitMs ??= clock.nowMs;
      clock.kernelMs += work.kernelMs;
      memoryBoundMs += work.memoryBoundMs ?? 0;
      clock.wireMs += work.wireMs;
      clock.nowMs += work.kernelMs;
      if (transfer?.isStarted === true) clock.startedWireMs += work.wireMs;
      else clock.nowMs += work.wireMs;
    }
    clock.queue = [];
    clock.next = 0;
    return freed;
  };
  const push = (rank: number, works: readonly Work[]): void => {
    const clock = clocks[rank];
    if (clock === undefined) return;
    for (const work of works) clock.queue.push(work);
    if (clock.isBlocked) return;
    const able = [rank];
    for (let next = able.pop(); next !== undefined; next = able.pop()) {
      for (const freed of advance(next)) able.push(freed);
    }
  };
  /** How many layers those that are being lowered stand for. */
  let times = 1;
  const begin = (nextTimes: number): void => {
    if (nextTimes === times) return;
    for (const [rank, clock] of clocks.entries()) {
      const works = clock.repeated;
      clock.repeated = [];
      for (let time = 1; time < times; time++) {
        push(
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
      const work = workOf(rank, instruction);
      const own = perLayer.get(instruction.origin.layer) ?? new Map<number, number>();
      perLayer.set(instruction.origin.layer, own);
      own.set(rank, (own.get(rank) ?? 0) + work.kernelMs + work.wireMs);
      const { phase, layer } = instruction.origin;
      if (phase === "backward") {
        // Behind all layers, and nothing but kernels where one layer stands for others.
        begin(1);
        push(
          rank,
          Array.from({ length: timesOf(layer) }, () => work),
        );
        return;
      }
      if (times > 1) clock.repeated.push(work);
      push(rank, [work]);
    },
    bound({ batch, tokens, microBatches }) {
      begin(1);
      const blocked = clocks.findIndex(({ queue }) => queue.length > 0);
      if (blocked >= 0) throw new Error(`rank ${blocked} waits for what no rank sends`);
      const own = clocks.map(({ waitMs = 0, kernelMs, wireMs }, rank) => ({
        rank,
        waitMs,
        kernelMs: kernelMs * microBatches,
        wireMs: wireMs * microBatches,
      }));
      // Of kernels and the transfers beside them, the shorter may be hidden altogether.
      const rankMs = clocks.map(
        ({ waitMs = 0, kernelMs, wireMs, startedWireMs }) =>
          waitMs + microBatches * (wireMs - startedWireMs + Math.max(kernelMs, startedWireMs)),
      );
      const microBatchMs = largest(clocks, ({ nowMs }) => nowMs);
      const stepMs = largest(rankMs, (each) => each);
      const kernelMs = clocks.reduce((sum, clock) => sum + clock.kernelMs, 0);
      const longest = Math.max(stepMs, microBatchMs);
      return {
        peaks,
        microBatchMs,
        stepMs: longest,
        samplesPerSecond: (1000 * batch) / longest,
        tokensPerSecond: (1000 * tokens) / longest,
        memoryBoundShare: kernelMs === 0 ? 0 : memoryBoundMs / kernelMs,
        layers: [...perLayer].map(([layer, byRank]) => ({
          layer,
          ms: largest([...byRank.values()], (each) => each),
        })),
        ranks: own,
      };
    },
  };
}

function inRepetition(work: Work, time: number): Work {
  const { transfer, awaits } = work;
  if (transfer === undefined && awaits === undefined) return work;
  const offset = time * channelsOfAll;
  return {
    ...work,
    ...(transfer && { transfer: { ...transfer, channel: transfer.channel + offset } }),
    ...(awaits === undefined ? {} : { awaits: awaits + offset }),
  };
}

function largest<T>(items: readonly T[], of: (item: T) => number): number {
  let most = 0;
  for (const item of items) most = Math.max(most, of(item));
  return most;
}

function msOf(bytes: number, bytesPerSecond: number | undefined): number {
  return bytesPerSecond === undefined ? 0 : (1000 * bytes) / bytesPerSecond;
}
