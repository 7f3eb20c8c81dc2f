// Which rank hangs, judged by when each was last heard and last moved on. Pure.

import type { Position } from "./messages.ts";

export interface Patience {
  /** For any sign of life, and for ranks that all wait for each other. */
  readonly hangMs: number;
  /** For the GPU, on which a single batch of kernels may take long. */
  readonly gpuHangMs: number;
}

export const defaultPatience: Patience = { hangMs: 10_000, gpuHangMs: 600_000 };

/** A rank that was asked for something and has not answered. */
export interface BusyRank {
  readonly rank: number;
  readonly position: Position;
  /** ms since it was heard, and since its position changed. */
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
      stillMs > (onGpu(position) ? gpuHangMs : hangMs) &&
      position.activity !== "wait" &&
      position.activity !== "idle",
  );
  if (stuck !== undefined) {
    const what = onGpu(stuck.position) ? "awaits its GPU" : "does not move on";
    return { rank: stuck.rank, reason: `${what} since ${seconds(stuck.stillMs)}` };
  }
  const [first] = ranks;
  const allWait = ranks.every(
    ({ position, stillMs }) => position.activity === "wait" && stillMs > hangMs,
  );
  return first !== undefined && allWait
    ? {
        rank: first.rank,
        reason: `waits, as do all that are still at work, since ${seconds(first.stillMs)}`,
      }
    : undefined;
}

const onGpu = ({ activity }: Position): boolean => activity === "readback" || activity === "drain";

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
