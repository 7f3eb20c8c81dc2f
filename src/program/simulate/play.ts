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

import {
  begin,
  busy,
  forGpu,
  nobody,
  type Playing,
  type PlayOptions,
  type RankState,
  submit,
  waitUntil,
} from "./playing.ts";
import type { TapeOp, Tapes, TransferPart } from "./tape.ts";

export interface Played {
  /** When the last rank ended. */
  readonly wallMs: number;
  readonly ranks: readonly { readonly endMs: number; readonly computeMs: number }[];
}

/** @throws Error where ranks wait for each other, or for what no rank sends */
export function play(tapes: Tapes, options: PlayOptions): Played {
  const playing = begin(tapes, options);
  const { states } = playing;
  // First in, first out: by the turn of the rank that waited first, all whom it waits for have had theirs.
  let able = states.map((_, at) => at);
  while (able.length > 0) {
    const next: number[] = [];
    for (const at of able) advance(playing, at, next);
    able = next;
  }
  const stuck = states.find(({ part, tape }) => part < tape.parts.length);
  if (stuck !== undefined) throw new Error(`rank ${stuck.tape.rank} waits for what no rank sends`);
  const ranks = states.map(({ hostMs: endMs, computeMs }) => ({ endMs, computeMs }));
  return { wallMs: ranks.reduce((most, { endMs }) => Math.max(most, endMs), 0), ranks };
}

/** Until the rank ends or waits; those that can go on because of it join `able`. */
function advance(playing: Playing, at: number, able: number[]): void {
  const state = playing.states[at];
  if (state === undefined) return;
  for (; state.part < state.tape.parts.length; state.part++, state.op = 0) {
    const ops = state.tape.parts[state.part] ?? [];
    for (; state.op < ops.length; state.op++) {
      const op = ops[state.op];
      if (op === undefined) continue;
      if (op.transfer === undefined) {
        busy(playing, state, "host", op);
        for (const kind of gpuKinds) forGpu(playing, state, kind, op);
        continue;
      }
      if (!exchange(playing, state, at, op, op.transfer, able)) return;
      state.begun = false;
      state.sent = false;
      state.received = 0;
    }
  }
  submit(playing, state);
  state.hostMs = Math.max(state.hostMs, state.gpuMs);
}

/** Does as much of a transfer as can be done; false where the rank must wait for another. */
function exchange(
  playing: Playing,
  state: RankState,
  at: number,
  op: TapeOp,
  transfer: TransferPart,
  able: number[],
): boolean {
  if (!state.begun) {
    busy(playing, state, "host", op);
    submit(playing, state);
    state.begun = true;
  }
  const { send } = transfer;
  if (send !== undefined && !state.sent) {
    if (!post(playing, state, at, op, send, able)) return false;
    if (transfer.isStart !== true) state.hostMs = playing.postedMs[send] ?? 0;
  }
  if (!receive(playing, state, at, op, transfer, able)) return false;
  if (send === undefined) {
    // It forwards what it received.
    busy(playing, state, "readback", op);
    busy(playing, state, "move", op);
  }
  forGpu(playing, state, "compute", op);
  forGpu(playing, state, "reduce", op);
  return true;
}

/** The host goes on from where it waited for room; false where there is none yet. */
function post(
  playing: Playing,
  state: RankState,
  at: number,
  op: TapeOp,
  send: number,
  able: number[],
): boolean {
  const { tapes, posted, postedMs, released, freeMs, blockedReaders } = playing;
  if ((released[send] ?? 0) < (tapes.readers[send] ?? 0)) {
    playing.blockedSender[send] = at;
    return false;
  }
  waitUntil(playing, state, freeMs[send] ?? 0, op.instruction);
  const goesOnMs = state.hostMs;
  state.hostMs = Math.max(state.hostMs, state.gpuMs);
  busy(playing, state, "readback", op);
  busy(playing, state, "move", op);
  posted[send] = (posted[send] ?? 0) + 1;
  postedMs[send] = state.hostMs;
  released[send] = 0;
  freeMs[send] = 0;
  state.sent = true;
  state.hostMs = goesOnMs;
  const waiting = blockedReaders[send] ?? [];
  if (waiting.length > 0) able.push(...waiting.splice(0));
  return true;
}

/** Takes what has come; false where something has not. */
function receive(
  playing: Playing,
  state: RankState,
  at: number,
  op: TapeOp,
  { recv }: TransferPart,
  able: number[],
): boolean {
  const { tapes, posted, postedMs, released, freeMs, blockedReaders, blockedSender, read } =
    playing;
  for (let next = recv[state.received]; next !== undefined; next = recv[state.received]) {
    const { mailbox, reader } = next;
    if ((posted[mailbox] ?? 0) <= (read[reader] ?? 0)) {
      blockedReaders[mailbox]?.push(at);
      return false;
    }
    waitUntil(playing, state, (postedMs[mailbox] ?? 0) + playing.latencyMs, op.instruction);
    busy(playing, state, "upload", op, 1 / recv.length);
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
  return true;
}

const gpuKinds = ["upload", "move", "readback", "compute", "reduce"] as const;
