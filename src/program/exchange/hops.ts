// The hops of a collective: which messages a rank posts and takes one after the other. A simulation plays them;
// a run sends each in chunks, which changes when bytes arrive, not who waits for whom.

import type { AllReduce, Collective } from "../program.ts";
import { algorithmOf, handedOut, slicesOf, turnsOf } from "./algorithm.ts";
import { isAllReduce, passesOn } from "./sums.ts";

/** What a rank does in one hop: it posts, then takes. */
export interface Hop {
  /** Absent where it posts nothing. */
  readonly post?: Post;
  /** In the order in which it takes. */
  readonly takes: readonly HopTake[];
  /** Whether it adds what it took. */
  readonly adds: boolean;
  /** Its share of all that the rank posts in this collective, and of all that it takes. */
  readonly posted: number;
  readonly taken: number;
}

export interface Post {
  /** Summands and sums of one all-reduce do not share mailboxes. */
  readonly lane: Lane;
  readonly readers: readonly number[];
}

export interface HopTake {
  readonly lane: Lane;
  readonly source: number;
}

type Lane = 0 | 1;

/** None where the rank exchanges nothing with another. */
export const hopsOf = (collective: Collective, rank: number): Hop[] => {
  if (!isAllReduce(collective) || algorithmOf(collective) === "direct") {
    return oneHop(collective, rank);
  }
  const events = [
    ...(passesOn(collective) ? turns(collective, rank) : slicesToOwners(collective, rank)),
    ...sumsToAll(collective, rank),
  ];
  return inHops(events);
};

const oneHop = ({ op, from, to }: Collective, rank: number): Hop[] => {
  const readers = from.includes(rank) ? to.filter((other) => other !== rank) : [];
  const sources = to.includes(rank) ? from.filter((source) => source !== rank) : [];
  if (readers.length + sources.length === 0) return [];
  return [
    {
      ...(readers.length === 0 ? {} : { post: { lane: 0, readers } }),
      takes: sources.map((source) => ({ lane: 0, source })),
      adds: op === "all-reduce" || op === "reduce" || op === "reduce-scatter",
      posted: 1,
      taken: 1,
    },
  ];
};

type Event =
  | { readonly kind: "post"; readonly post: Post; readonly bytes: number }
  | {
      readonly kind: "take";
      readonly takes: readonly HopTake[];
      readonly adds: boolean;
      readonly bytes: number;
    };

/** Of a ring or a tree: each adds its own to what has come, and hands it on. */
const turns = (reduction: AllReduce, rank: number): Event[] =>
  turnsOf(reduction, rank).flatMap(({ slice: { bytes }, sources, target }): Event[] => [
    ...take(sources, 0, true, bytes * sources.length),
    ...post(target === undefined ? [] : [target], 0, bytes),
  ]);

/** Of two shots, the first: every reader gets the summands of its slice. */
const slicesToOwners = (reduction: AllReduce, rank: number): Event[] => {
  const { from, to } = reduction;
  const slices = slicesOf(reduction, to.length);
  const away = to.flatMap((reader, j) => {
    const bytes = slices[j]?.bytes ?? 0;
    return reader === rank || bytes === 0 ? [] : [{ reader, bytes }];
  });
  const own = slices[to.indexOf(rank)]?.bytes ?? 0;
  const sources = own === 0 ? [] : from.filter((source) => source !== rank);
  const readers = from.includes(rank) ? away.map(({ reader }) => reader) : [];
  const bytesAway = away.reduce((sum, { bytes }) => sum + bytes, 0);
  return [...post(readers, 0, bytesAway), ...take(sources, 0, true, own * sources.length)];
};

/** The last hop: whoever has summed a slice hands it to all. */
const sumsToAll = (reduction: AllReduce, rank: number): Event[] => {
  const { from, to } = reduction;
  const owners = passesOn(reduction) ? from : to;
  const slices = handedOut(reduction).flatMap(({ bytes }, k) => {
    const owner = owners[k];
    return owner === undefined || bytes === 0 ? [] : [{ owner, bytes }];
  });
  const own = slices.find(({ owner }) => owner === rank);
  const others = to.includes(rank) ? slices.filter(({ owner }) => owner !== rank) : [];
  const readers = own === undefined ? [] : to.filter((other) => other !== rank);
  const bytes = others.reduce((sum, each) => sum + each.bytes, 0);
  return [
    ...post(readers, 1, own?.bytes ?? 0),
    ...take(
      others.map(({ owner }) => owner),
      1,
      false,
      bytes,
    ),
  ];
};

const post = (readers: readonly number[], lane: Lane, bytes: number): Event[] =>
  readers.length === 0 ? [] : [{ kind: "post", post: { lane, readers }, bytes }];

const take = (sources: readonly number[], lane: Lane, adds: boolean, bytes: number): Event[] =>
  sources.length === 0
    ? []
    : [{ kind: "take", takes: sources.map((source) => ({ lane, source })), adds, bytes }];

/** A take joins the post before it. */
const inHops = (events: readonly Event[]): Hop[] => {
  const total = (kind: Event["kind"]): number =>
    Math.max(
      1,
      events.reduce((sum, event) => sum + (event.kind === kind ? event.bytes : 0), 0),
    );
  const [posted, taken] = [total("post"), total("take")];
  return events.flatMap((event, i): Hop[] => {
    if (event.kind === "post") {
      const next = events[i + 1];
      const hop = { post: event.post, posted: event.bytes / posted };
      return next?.kind === "take"
        ? [{ ...hop, takes: next.takes, adds: next.adds, taken: next.bytes / taken }]
        : [{ ...hop, takes: [], adds: false, taken: 0 }];
    }
    if (events[i - 1]?.kind === "post") return [];
    return [{ takes: event.takes, adds: event.adds, posted: 0, taken: event.bytes / taken }];
  });
};
