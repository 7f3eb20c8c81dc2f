// Which rank hangs, judged by when each was last heard and last moved on. Pure.

import type { RankPosition } from "./messages.ts";

export interface Patience {
  /** For any sign of life, and for ranks that all wait for each other. */
  readonly hangMs: number;
  /** For the GPU, on which a single batch of kernels may take long, and for a driver that opens. */
  readonly gpuHangMs: number;
}

export const defaultPatience: Patience = { hangMs: 10_000, gpuHangMs: 120_000 };

/** A rank that was asked for something and has not answered. */
export interface BusyRank {
  readonly rank: number;
  readonly position: RankPosition;
  /** ms since it was heard, and since its position changed; without those in which it waited for a core. */
  readonly silentMs: number;
  readonly stillMs: number;
}

export interface Hang {
  readonly rank: number;
  readonly reason: string;
}

export function findHang(ranks: readonly BusyRank[], patience: Patience): Hang | undefined {
  const { hangMs, gpuHangMs } = patience;
  const silent = ranks.find(({ silentMs }) => silentMs > hangMs);
  if (silent !== undefined) {
    return { rank: silent.rank, reason: `has not been heard for ${seconds(silent.silentMs)}` };
  }
  const stuck = ranks.find(
    ({ position, stillMs }) =>
      position.activity !== "wait" && stillMs > (isSwift(position) ? hangMs : gpuHangMs),
  );
  if (stuck !== undefined) {
    const what = onGpu(stuck.position) ? "has awaited its GPU" : "has not moved on";
    return { rank: stuck.rank, reason: `${what} for ${seconds(stuck.stillMs)}` };
  }
  const [first] = ranks;
  const allWait = ranks.every(
    ({ position, stillMs }) => position.activity === "wait" && stillMs > hangMs,
  );
  return first !== undefined && allWait
    ? {
        rank: first.rank,
        reason: `has waited, as have all that are still at work, for ${seconds(first.stillMs)}`,
      }
    : undefined;
}

/** What the host does by itself takes moments; a rank that has not begun yet may have a driver to load. */
function isSwift(position: RankPosition): boolean {
  return !onGpu(position) && position.activity !== "idle";
}

function onGpu({ activity }: RankPosition): boolean {
  return activity === "readback" || activity === "drain";
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
