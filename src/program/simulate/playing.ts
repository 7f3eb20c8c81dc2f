// Ranks while they are played: where each is, what lies in the mailboxes, and what passes of a rank's time.

import type { Span, SpanKind } from "../trace.ts";
import type { Cost } from "./cost.ts";
import type { RankTape, TapeOp, Tapes } from "./tape.ts";

export interface PlayOptions {
  /** ms from a post to a waiting reader that sees it. */
  readonly latencyMs: number;
  /** Parts that take no time; to tell what they cost. */
  readonly without?: { readonly communication?: boolean; readonly host?: boolean };
  readonly onSpan?: (rank: number, span: Span) => void;
}

export interface RankState {
  readonly tape: RankTape;
  part: number;
  op: number;
  /** Whether the op's encoding, its sending, and how many of its receives are done. */
  begun: boolean;
  sent: boolean;
  received: number;
  hostMs: number;
  gpuMs: number;
  computeMs: number;
  /** For the GPU, not submitted yet. */
  pendingMs: number;
  readonly pending: { readonly kind: SpanKind; readonly instruction?: number; ms: number }[];
}

export const nobody = -1;

export interface Playing {
  readonly tapes: Tapes;
  readonly latencyMs: number;
  readonly onSpan: PlayOptions["onSpan"];
  /** What each part of a cost counts. */
  readonly scale: Cost;
  readonly states: readonly RankState[];
  /** By mailbox: messages so far, when the last came, how many have released it, and when the last of them did. */
  readonly posted: Float64Array;
  readonly postedMs: Float64Array;
  readonly released: Float64Array;
  readonly freeMs: Float64Array;
  readonly blockedReaders: readonly number[][];
  /** Place of the rank that waits to post there, or nobody. */
  readonly blockedSender: Int32Array;
  /** By reader, messages that it took. */
  readonly read: Float64Array;
}

export function begin(tapes: Tapes, { latencyMs, without = {}, onSpan }: PlayOptions): Playing {
  const mailboxes = tapes.readers.length;
  const moving = without.communication === true ? 0 : 1;
  return {
    tapes,
    latencyMs,
    onSpan,
    scale: {
      host: without.host === true ? 0 : 1,
      compute: 1,
      readback: moving,
      move: moving,
      upload: moving,
      reduce: moving,
    },
    states: tapes.ranks.map((tape): RankState => ({
      tape,
      part: 0,
      op: 0,
      begun: false,
      sent: false,
      received: 0,
      hostMs: 0,
      gpuMs: 0,
      computeMs: 0,
      pendingMs: 0,
      pending: [],
    })),
    posted: new Float64Array(mailboxes),
    postedMs: new Float64Array(mailboxes),
    released: Float64Array.from(tapes.readers),
    freeMs: new Float64Array(mailboxes),
    blockedReaders: Array.from({ length: mailboxes }, (): number[] => []),
    blockedSender: new Int32Array(mailboxes).fill(nobody),
    read: new Float64Array(tapes.reads),
  };
}

function tell(
  { onSpan }: Playing,
  { tape }: RankState,
  kind: SpanKind,
  instruction: number | undefined,
  startMs: number,
  endMs: number,
): void {
  if (onSpan === undefined || endMs <= startMs) return;
  onSpan(tape.rank, {
    kind,
    startMs,
    endMs,
    ...(instruction === undefined ? {} : { instruction }),
  });
}

export function busy(
  playing: Playing,
  state: RankState,
  kind: keyof Cost,
  op: TapeOp,
  share = 1,
): void {
  const ms = op.cost[kind] * playing.scale[kind] * share;
  tell(playing, state, kind, op.instruction, state.hostMs, state.hostMs + ms);
  state.hostMs += ms;
}

export function forGpu(
  { scale, onSpan }: Playing,
  state: RankState,
  kind: keyof Cost,
  op: TapeOp,
): void {
  const ms = op.cost[kind] * scale[kind];
  if (ms === 0) return;
  state.pendingMs += ms;
  if (kind === "compute") state.computeMs += ms;
  const { instruction } = op;
  if (onSpan !== undefined) {
    state.pending.push({ kind, ms, ...(instruction === undefined ? {} : { instruction }) });
  }
}

export function submit(playing: Playing, state: RankState): void {
  if (state.pendingMs === 0) return;
  let time = Math.max(state.gpuMs, state.hostMs);
  state.gpuMs = time + state.pendingMs;
  state.pendingMs = 0;
  if (playing.onSpan === undefined) return;
  for (const { kind, instruction, ms } of state.pending.splice(0)) {
    tell(playing, state, kind, instruction, time, time + ms);
    time += ms;
  }
}

export function waitUntil(
  playing: Playing,
  state: RankState,
  ms: number,
  instruction: number | undefined,
): void {
  if (ms <= state.hostMs) return;
  tell(playing, state, "wait", instruction, state.hostMs, ms);
  state.hostMs = ms;
}
