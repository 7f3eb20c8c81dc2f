// The least time a step can take on given peaks: every instruction at its roofline, in the order of its
// rank, and no result used before it is there. A bound, not a forecast: launches, copies on the host and
// memory that kernels read twice are free here.

import { isCollective, type Instruction } from "./program.ts";
import { createExpertRows, instructionFlops, kernelBytesOf } from "./tally.ts";
import type { WireCount } from "./wire.ts";

export interface Peaks {
  /** FLOP/s of one GPU. */
  readonly flops: number;
  /** Bytes per second of one GPU's memory. Absent: memory is free. */
  readonly bandwidth?: number;
  /** Bytes per second between two GPUs. Absent: the wire is free. */
  readonly linkBandwidth?: number;
}

export interface RankBound {
  readonly rank: number;
  /** Before its first work of a step: the fill of the pipeline. */
  readonly waitMs: number;
  /** Of a step. */
  readonly kernelMs: number;
  readonly wireMs: number;
}

export interface LayerBound {
  readonly layer: string;
  /** Of one micro-batch, on the rank that takes longest. */
  readonly ms: number;
}

export interface Bound {
  readonly peaks: Peaks;
  /** One micro-batch through the whole plan. */
  readonly microBatchMs: number;
  readonly stepMs: number;
  readonly samplesPerSecond: number;
  readonly tokensPerSecond: number;
  /** Of the time of all kernels, that of kernels whose bytes take longer than their arithmetic. */
  readonly memoryBoundShare: number;
  readonly layers: readonly LayerBound[];
  readonly ranks: readonly RankBound[];
}

export interface Step {
  readonly batch: number;
  readonly tokens: number;
  readonly microBatches: number;
}

export interface Clock {
  /** One micro-batch, in the order of lowering. */
  add(rank: number, instruction: Instruction): void;
  /** Throws where a rank waits for what no rank sends. */
  bound(step: Step): Bound;
}

interface Work {
  readonly kernelMs: number;
  readonly wireMs: number;
  readonly transfer?: { readonly key: string; readonly gives: boolean; readonly gets: boolean };
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
  /** What comes after a transfer that is not complete yet, itself included. */
  readonly queue: Work[];
  /** Whether the first of the queue has been given already. */
  hasGiven: boolean;
}

/** @param ranks how many */
export const createClock = (ranks: number, peaks: Peaks, wireBytes: WireCount): Clock => {
  const clocks = Array.from({ length: ranks }, (): RankClock => ({
    nowMs: 0,
    waitMs: undefined,
    kernelMs: 0,
    wireMs: 0,
    queue: [],
    hasGiven: false,
  }));
  const meetings = new Map<string, Meeting>();
  const experts = createExpertRows();
  const perLayer = new Map<string, Map<number, number>>();
  let memoryBoundMs = 0;

  const workOf = (rank: number, instruction: Instruction): Work => {
    const arithmeticMs = (1000 * instructionFlops(instruction)) / peaks.flops;
    if (!isCollective(instruction)) {
      const memoryMs = msOf(kernelBytesOf(instruction), peaks.bandwidth);
      if (memoryMs > arithmeticMs) memoryBoundMs += memoryMs;
      return { kernelMs: Math.max(arithmeticMs, memoryMs), wireMs: 0 };
    }
    const { channel, from, to, origin } = instruction;
    const { largestPiece } = wireBytes(instruction, rank, experts.rowsOf(origin.layer));
    return {
      kernelMs: arithmeticMs,
      wireMs: msOf(largestPiece, peaks.linkBandwidth),
      transfer: { key: `${channel}`, gives: from.includes(rank), gets: to.includes(rank) },
      givers: from.length,
    };
  };

  /** Does what this rank can do by now; returns the ranks that this lets go on. */
  const advance = (rank: number): readonly number[] => {
    const clock = clocks[rank];
    const freed: number[] = [];
    if (clock === undefined) return freed;
    for (let work = clock.queue[0]; work !== undefined; work = clock.queue[0]) {
      if (work.transfer !== undefined) {
        const { key, gives, gets } = work.transfer;
        const meeting = meetings.get(key) ?? { missing: work.givers ?? 0, readyMs: 0, blocked: [] };
        meetings.set(key, meeting);
        if (gives && !clock.hasGiven) {
          clock.hasGiven = true;
          meeting.missing -= 1;
          meeting.readyMs = Math.max(meeting.readyMs, clock.nowMs);
          if (meeting.missing === 0) freed.push(...meeting.blocked.splice(0));
        }
        if (gets && meeting.missing > 0) {
          meeting.blocked.push(rank);
          return freed;
        }
        if (gets) clock.nowMs = Math.max(clock.nowMs, meeting.readyMs);
      }
      clock.queue.shift();
      clock.hasGiven = false;
      clock.waitMs ??= clock.nowMs;
      clock.nowMs += work.kernelMs + work.wireMs;
      clock.kernelMs += work.kernelMs;
      clock.wireMs += work.wireMs;
    }
    return freed;
  };

  return {
    add(rank, instruction) {
      const clock = clocks[rank];
      if (clock === undefined || instruction.op === "observe" || instruction.op === "input") return;
      experts.see(instruction);
      const work = workOf(rank, instruction);
      const own = perLayer.get(instruction.origin.layer) ?? new Map<number, number>();
      perLayer.set(instruction.origin.layer, own);
      own.set(rank, (own.get(rank) ?? 0) + work.kernelMs + work.wireMs);
      clock.queue.push(work);
      const able = [rank];
      for (let next = able.pop(); next !== undefined; next = able.pop())
        able.push(...advance(next));
    },
    bound({ batch, tokens, microBatches }) {
      const blocked = clocks.findIndex(({ queue }) => queue.length > 0);
      if (blocked >= 0) throw new Error(`rank ${blocked} waits for what no rank sends`);
      const own = clocks.map(({ waitMs = 0, kernelMs, wireMs }, rank) => ({
        rank,
        waitMs,
        kernelMs: kernelMs * microBatches,
        wireMs: wireMs * microBatches,
      }));
      const microBatchMs = largest(clocks, ({ nowMs }) => nowMs);
      const stepMs = largest(own, (each) => each.waitMs + each.kernelMs + each.wireMs);
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
};

const largest = <T>(items: readonly T[], of: (item: T) => number): number => {
  let most = 0;
  for (const item of items) most = Math.max(most, of(item));
  return most;
};

const msOf = (bytes: number, bytesPerSecond: number | undefined): number =>
  bytesPerSecond === undefined ? 0 : (1000 * bytes) / bytesPerSecond;
