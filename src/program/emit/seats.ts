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
  /** Names of tensors that an op reads while it writes this one, or writes while it reads it. */
  readonly apart: ReadonlySet<string>;
}

/** A place that tensors use in turn. */
export interface Seat {
  readonly bytes: number;
  /** Names of its tensors. */
  readonly tensors: string[];
  /** Seats whose tensors live while one of its own does. */
  readonly beside: Set<Seat>;
  /** Of these, the ones that are in another buffer: an op reads one and writes the other. */
  readonly apart: Set<Seat>;
}

interface Kind {
  readonly bytes: number;
  readonly seats: (Seat & { freeFrom: number })[];
  readonly beside: Set<Kind>;
  readonly apart: Set<Kind>;
}

/** In order of the first tensor of their kind. */
export function seatsOf(lifetimes: readonly Lifetime[]): Seat[] {
  const kinds = new Map<string, Kind>();
  const kindOf = new Map<string, Kind>();
  let alive: { readonly kind: Kind; readonly last: number }[] = [];
  for (const lifetime of lifetimes.toSorted((a, b) => a.first - b.first)) {
    const { name, bytes, first, last } = lifetime;
    const key = `${bytes} ${lifetime.kind}`;
    const kind = kinds.get(key) ?? { bytes, seats: [], beside: new Set(), apart: new Set() };
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
  for (const { name, apart } of lifetimes) {
    for (const other of apart) {
      const there = kindOf.get(other);
      if (there !== undefined) kindOf.get(name)?.apart.add(there);
    }
  }
  for (const { seats, beside, apart } of kinds.values()) {
    for (const seat of seats) {
      for (const kind of beside) for (const other of kind.seats) seat.beside.add(other);
      for (const kind of apart) for (const other of kind.seats) seat.apart.add(other);
      seat.beside.delete(seat);
      seat.apart.delete(seat);
    }
  }
  return [...kinds.values()].flatMap(({ seats }) => seats);
}

/** In the first seat that is free. */
function sit({ bytes, seats }: Kind, { name, first, last }: Lifetime): void {
  let seat = seats.find(({ freeFrom }) => freeFrom <= first);
  if (seat === undefined) {
    seat = { bytes, tensors: [], beside: new Set(), apart: new Set(), freeFrom: 0 };
    seats.push(seat);
  }
  seat.freeFrom = last + 1;
  seat.tensors.push(name);
}
