// Which tensors of a rank have the same place in shared memory: those of one kind and size, of every layer, as far as
// they do not live at the same time. There are as many such seats however often a block of layers is repeated, and what
// is said of them is said of kinds: so equal blocks take what three of them take, to the byte.

export interface Lifetime {
  readonly name: string;
  /** What it is, the same in every layer that has it. */
  readonly kind: string;
  readonly bytes: number;
  /** Indices of the first and the last op that touch it. */
  readonly first: number;
  readonly last: number;
  /** Names of tensors that must not lie in the same buffer, see `apart.ts`. */
  readonly apart: ReadonlySet<string>;
  /** Names of tensors that it is copied to or from. */
  readonly copied: ReadonlySet<string>;
}

/** A place that tensors use in turn. */
export interface Seat {
  readonly bytes: number;
  /** Names of its tensors. */
  readonly tensors: string[];
  /** Seats whose tensors live while one of its own does. */
  readonly beside: Set<Seat>;
  /** Of these, the ones that are in another buffer. */
  readonly apart: Set<Seat>;
  /** Of these, the ones that one of its tensors is copied to or from. */
  readonly copied: Set<Seat>;
}

interface Kind {
  readonly bytes: number;
  readonly seats: (Seat & { freeFrom: number })[];
  readonly beside: Set<Kind>;
  readonly apart: Set<Kind>;
  readonly copied: Set<Kind>;
}

const relations = ["beside", "apart", "copied"] as const;

/** In order of the first tensor of their kind. */
export function seatsOf(lifetimes: readonly Lifetime[]): Seat[] {
  const kinds = new Map<string, Kind>();
  const kindOf = new Map<string, Kind>();
  let alive: { readonly kind: Kind; readonly last: number }[] = [];
  for (const lifetime of lifetimes.toSorted((a, b) => a.first - b.first)) {
    const { name, bytes, first, last } = lifetime;
    const key = `${bytes} ${lifetime.kind}`;
    const kind = kinds.get(key) ?? { bytes, seats: [], ...unrelated<Kind>() };
    kinds.set(key, kind);
    kindOf.set(name, kind);
    sit(kind, lifetime);
    alive = alive.filter((each) => each.last >= first);
    for (const { kind: other } of alive) {
      kind.beside.add(other);
      other.beside.add(kind);
    }
    alive.push({ kind, last });
  }
  for (const lifetime of lifetimes) {
    for (const relation of ["apart", "copied"] as const) {
      for (const other of lifetime[relation]) {
        const there = kindOf.get(other);
        if (there !== undefined) kindOf.get(lifetime.name)?.[relation].add(there);
      }
    }
  }
  for (const kind of kinds.values()) {
    for (const seat of kind.seats) {
      for (const relation of relations) {
        for (const { seats } of kind[relation])
          for (const other of seats) seat[relation].add(other);
        seat[relation].delete(seat);
      }
    }
  }
  return [...kinds.values()].flatMap(({ seats }) => seats);
}

/** In the first seat that is free. */
function sit({ bytes, seats }: Kind, { name, first, last }: Lifetime): void {
  let seat = seats.find(({ freeFrom }) => freeFrom <= first);
  if (seat === undefined) {
    seat = { bytes, tensors: [], ...unrelated<Seat>(), freeFrom: 0 };
    seats.push(seat);
  }
  seat.freeFrom = last + 1;
  seat.tensors.push(name);
}

function unrelated<Each>(): Record<(typeof relations)[number], Set<Each>> {
  return { beside: new Set(), apart: new Set(), copied: new Set() };
}
