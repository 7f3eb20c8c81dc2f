// The hops of a collective: which messages a rank sends and receives one after the other. A simulation plays them;
// a run sends each in chunks, which changes when bytes arrive, not who waits for whom.

import type { Collective } from "../program.ts";
import { algorithmOf } from "./all_reduce/algorithms.ts";
import { broadcastSteps } from "./all_reduce/broadcast_phase.ts";
import type { Lane } from "./lanes.ts";
import type { ReduceStep } from "./reduce_step.ts";
import { isAllReduce, reduces } from "./sums.ts";

/** What a rank does in one hop: it sends, then receives. */
export interface Hop {
  /** Absent where it sends nothing. */
  readonly send?: HopSend;
  /** In the order in which it receives. */
  readonly recv: readonly HopRecv[];
  /** Whether it adds what it received. */
  readonly reduces: boolean;
  /** Its share of all that the rank sends in this collective, and of all that it receives. */
  readonly sentShare: number;
  readonly receivedShare: number;
}

interface HopSend {
  /** Summands and sums of one all-reduce do not share mailboxes. */
  readonly lane: Lane;
  readonly readers: readonly number[];
}

interface HopRecv {
  readonly lane: Lane;
  readonly source: number;
}

/** None where the rank exchanges nothing with another. */
export function hopsOf(collective: Collective, rank: number): Hop[] {
  if (!isAllReduce(collective)) return oneHop(collective, rank);
  const events: Event[] = [];
  addEvents(events, algorithmOf(collective).steps(collective, rank), 0);
  addEvents(events, broadcastSteps(collective, rank), 1);
  return inHops(events);
}

/** Closed form: everybody sends, then everybody receives. */
function oneHop(collective: Collective, rank: number): Hop[] {
  const { from, to } = collective;
  const readers = from.includes(rank) ? to.filter((other) => other !== rank) : [];
  const sources = to.includes(rank) ? from.filter((source) => source !== rank) : [];
  if (readers.length + sources.length === 0) return [];
  return [
    {
      ...(readers.length === 0 ? {} : { send: { lane: 0, readers } }),
      recv: sources.map((source) => ({ lane: 0, source })),
      reduces: reduces(collective),
      sentShare: 1,
      receivedShare: 1,
    },
  ];
}

/** One or several messages that a rank sends, or receives, without doing anything else in between. */
interface Event {
  readonly kind: "send" | "recv";
  readonly lane: Lane;
  readonly reduces: boolean;
  readonly others: number[];
  bytes: number;
}

function addEvents(events: Event[], steps: readonly ReduceStep[], lane: Lane): void {
  const add = (kind: Event["kind"], isSum: boolean, others: readonly number[], bytes: number) => {
    if (others.length === 0) return;
    const last = events.at(-1);
    if (last?.kind === kind && last.lane === lane && last.reduces === isSum) {
      last.others.push(...others);
      last.bytes += bytes;
    } else {
      events.push({ kind, lane, reduces: isSum, others: [...others], bytes });
    }
  };
  for (const { slice, recv, reduce, send } of steps) {
    add("recv", reduce.length > 0, recv, recv.length * slice.bytes);
    add("send", false, send, slice.bytes);
  }
}

/** What is received joins what was sent before it. */
function inHops(events: readonly Event[]): Hop[] {
  const total = (kind: Event["kind"]): number =>
    Math.max(
      1,
      events.reduce((sum, event) => sum + (event.kind === kind ? event.bytes : 0), 0),
    );
  const [sent, received] = [total("send"), total("recv")];
  return events.flatMap((event, at): Hop[] => {
    if (event.kind === "send") {
      const { lane, others: readers } = event;
      const next = events[at + 1];
      const hop = { send: { lane, readers }, sentShare: event.bytes / sent };
      return next?.kind === "recv"
        ? [{ ...hop, ...receivedIn(next, received) }]
        : [{ ...hop, recv: [], reduces: false, receivedShare: 0 }];
    }
    if (events[at - 1]?.kind === "send") return [];
    return [{ sentShare: 0, ...receivedIn(event, received) }];
  });
}

function receivedIn({ lane, others, reduces: isSum, bytes }: Event, received: number) {
  return {
    recv: others.map((source) => ({ lane, source })),
    reduces: isSum,
    receivedShare: bytes / received,
  };
}
