// Plays all ranks of a program against each other from what each instruction takes, as the runtime would:
//
// - A rank's host goes through its instructions in order. Kernels collect until a transfer or the end, then
//   its GPU does them one after the other while the host may already wait for others.
// - A sender waits until all readers have released its message before that on the same mailbox, awaits its
//   GPU, brings the bytes out and posts. It does not wait for readers; where the transfer is only started,
//   its host does not even wait for its GPU.
// - A receiver awaits its sources in their order and hands the bytes to its GPU, which need not be idle.
//
// No rank's times depend on the order in which ranks are played, so there is no queue of events.

import type { Span, SpanKind } from "../trace.ts";
import type { Cost } from "./cost.ts";
import type { TapeOp, RankTape, Tapes, TransferPart } from "./tape.ts";

export interface PlayOptions {
  /** ms from a post to a waiting reader that sees it. */
  readonly latencyMs: number;
  /** Parts that take no time; to tell what they cost. */
  readonly without?: { readonly communication?: boolean; readonly host?: boolean };
  readonly onSpan?: (rank: number, span: Span) => void;
}

export interface Played {
  /** When the last rank ended. */
  readonly wallMs: number;
  readonly ranks: readonly { readonly endMs: number; readonly computeMs: number }[];
}

interface RankState {
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

/** @throws Error where ranks wait for each other, or for what no rank sends */
export function play(tapes: Tapes, options: PlayOptions): Played {
  const { latencyMs, without = {}, onSpan } = options;
  const mailboxes = tapes.readers.length;
  const posted = new Float64Array(mailboxes);
  const postedMs = new Float64Array(mailboxes);
  const released = Float64Array.from(tapes.readers);
  const freeMs = new Float64Array(mailboxes);
  const read = new Float64Array(tapes.reads);
  const blockedReaders = Array.from({ length: mailboxes }, (): number[] => []);
  /** Place of the rank that waits to post there, or nobody. */
  const blockedSender = new Int32Array(mailboxes).fill(nobody);
  const states = tapes.ranks.map((tape): RankState => ({
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
  }));
  const moving = without.communication === true ? 0 : 1;
  const scale: Cost = {
    host: without.host === true ? 0 : 1,
    compute: 1,
    readback: moving,
    move: moving,
    upload: moving,
    reduce: moving,
  };

  const tell = (
    { tape }: RankState,
    kind: SpanKind,
    instruction: number | undefined,
    startMs: number,
    endMs: number,
  ): void => {
    if (onSpan === undefined || endMs <= startMs) return;
    onSpan(tape.rank, {
      kind,
      startMs,
      endMs,
      ...(instruction === undefined ? {} : { instruction }),
    });
  };
  const busy = (state: RankState, kind: keyof Cost, op: TapeOp, share = 1): void => {
    const ms = op.cost[kind] * scale[kind] * share;
    if (onSpan !== undefined) tell(state, kind, op.instruction, state.hostMs, state.hostMs + ms);
    state.hostMs += ms;
  };
  const forGpu = (state: RankState, kind: keyof Cost, op: TapeOp): void => {
    const ms = op.cost[kind] * scale[kind];
    if (ms === 0) return;
    state.pendingMs += ms;
    if (kind === "compute") state.computeMs += ms;
    const { instruction } = op;
    if (onSpan !== undefined) {
      state.pending.push({ kind, ms, ...(instruction === undefined ? {} : { instruction }) });
    }
  };
  const submit = (state: RankState): void => {
    if (state.pendingMs === 0) return;
    let time = Math.max(state.gpuMs, state.hostMs);
    state.gpuMs = time + state.pendingMs;
    state.pendingMs = 0;
    if (onSpan === undefined) return;
    for (const { kind, instruction, ms } of state.pending.splice(0)) {
      tell(state, kind, instruction, time, time + ms);
      time += ms;
    }
  };
  const waitUntil = (state: RankState, ms: number, instruction: number | undefined): void => {
    if (ms <= state.hostMs) return;
    tell(state, "wait", instruction, state.hostMs, ms);
    state.hostMs = ms;
  };

  /** Does as much of a transfer as can be done; false where the rank must wait for another. */
  const exchange = (
    state: RankState,
    at: number,
    op: TapeOp,
    { send, recv, isStart }: TransferPart,
    able: number[],
  ): boolean => {
    if (!state.begun) {
      busy(state, "host", op);
      submit(state);
      state.begun = true;
    }
    if (send !== undefined && !state.sent) {
      if ((released[send] ?? 0) < (tapes.readers[send] ?? 0)) {
        blockedSender[send] = at;
        return false;
      }
      waitUntil(state, freeMs[send] ?? 0, op.instruction);
      const goesOnMs = state.hostMs;
      state.hostMs = Math.max(state.hostMs, state.gpuMs);
      busy(state, "readback", op);
      busy(state, "move", op);
      posted[send] = (posted[send] ?? 0) + 1;
      postedMs[send] = state.hostMs;
      released[send] = 0;
      freeMs[send] = 0;
      state.sent = true;
      if (isStart === true) state.hostMs = goesOnMs;
      const waiting = blockedReaders[send] ?? [];
      if (waiting.length > 0) able.push(...waiting.splice(0));
    }
    for (let next = recv[state.received]; next !== undefined; next = recv[state.received]) {
      const { mailbox, reader } = next;
      if ((posted[mailbox] ?? 0) <= (read[reader] ?? 0)) {
        blockedReaders[mailbox]?.push(at);
        return false;
      }
      waitUntil(state, (postedMs[mailbox] ?? 0) + latencyMs, op.instruction);
      busy(state, "upload", op, 1 / recv.length);
      read[reader] = (read[reader] ?? 0) + 1;
      released[mailbox] = (released[mailbox] ?? 0) + 1;
      freeMs[mailbox] = Math.max(freeMs[mailbox] ?? 0, state.hostMs);
      state.received += 1;
      const sender = blockedSender[mailbox] ?? nobody;
      if (sender !== nobody && released[mailbox] === tapes.readers[mailbox]) {
        blockedSender[mailbox] = nobody;
        able.push(sender);
      }
    }
    if (send === undefined) {
      // It forwards what it received.
      busy(state, "readback", op);
      busy(state, "move", op);
    }
    forGpu(state, "compute", op);
    forGpu(state, "reduce", op);
    return true;
  };

  /** Until the rank ends or waits; those that can go on because of it join `able`. */
  const advance = (at: number, able: number[]): void => {
    const state = states[at];
    if (state === undefined) return;
    for (; state.part < state.tape.parts.length; state.part++, state.op = 0) {
      const ops = state.tape.parts[state.part] ?? [];
      for (; state.op < ops.length; state.op++) {
        const op = ops[state.op];
        if (op === undefined) continue;
        if (op.transfer === undefined) {
          busy(state, "host", op);
          for (const kind of gpuKinds) forGpu(state, kind, op);
          continue;
        }
        if (!exchange(state, at, op, op.transfer, able)) return;
        state.begun = false;
        state.sent = false;
        state.received = 0;
      }
    }
    submit(state);
    state.hostMs = Math.max(state.hostMs, state.gpuMs);
  };

  // First in, first out: by the turn of the rank that waited first, all whom it waits for have had theirs.
  let able = states.map((_, at) => at);
  while (able.length > 0) {
    const next: number[] = [];
    for (const at of able) advance(at, next);
    able = next;
  }
  const stuck = states.find(({ part, tape }) => part < tape.parts.length);
  if (stuck !== undefined) throw new Error(`rank ${stuck.tape.rank} waits for what no rank sends`);
  const ranks = states.map(({ hostMs: endMs, computeMs }) => ({ endMs, computeMs }));
  return { wallMs: ranks.reduce((most, { endMs }) => Math.max(most, endMs), 0), ranks };
}

const nobody = -1;

const gpuKinds = ["upload", "move", "readback", "compute", "reduce"] as const;
