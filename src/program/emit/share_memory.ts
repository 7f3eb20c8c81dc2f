// Where tensors lie that use the same memory at different times: greedy by size with offsets (Pisarchyk and Lee,
// "Efficient Memory Management for Deep Neural Net Inference", 2020). The largest tensor first; each goes to the lowest
// place at which nothing else lies while it lives, in the arena that grows least.
//
// There are several arenas, each a buffer: a GPU may not write a buffer in a dispatch that reads another part of it.

export interface Lifetime {
  readonly name: string;
  readonly bytes: number;
  /** Indices of the first and the last op that touch it. */
  readonly first: number;
  readonly last: number;
  /** Names of tensors that an op touches together with it, writing at least one of the two. */
  readonly apart: ReadonlySet<string>;
}

export interface SharedMemory {
  /** Bytes of each arena. */
  readonly arenas: readonly number[];
  /** By a tensor's name. */
  readonly placeOf: ReadonlyMap<string, Place>;
  /** The most bytes that live at the same time: no way of sharing needs less. */
  readonly liveBytes: number;
}

export interface Place {
  readonly arena: number;
  readonly offset: number;
}

interface Placed extends Place {
  readonly name: string;
  readonly end: number;
}

/**
 * @param alignment of offsets, bytes
 * @param largestArena unless a single tensor is larger
 */
export function shareMemory(
  lifetimes: readonly Lifetime[],
  alignment: number,
  largestArena: number,
): SharedMemory {
  const arenas: number[] = [];
  const placeOf = new Map<string, Place>();
  /** What lies in any arena, by the ops during which it does. */
  const alive = new Map<number, Placed[]>();
  const most = Math.max(largestArena, ...lifetimes.map(({ bytes }) => bytes));
  const bySize = lifetimes.toSorted((a, b) => b.bytes - a.bytes || a.first - b.first);
  for (const tensor of bySize) {
    const others = aliveDuring(alive, tensor);
    const { arena, offset } = bestPlace(tensor, others, arenas, alignment, most);
    const end = offset + tensor.bytes;
    arenas[arena] = Math.max(arenas[arena] ?? 0, end);
    placeOf.set(tensor.name, { arena, offset });
    const placed = { name: tensor.name, arena, offset, end };
    for (let at = tensor.first; at <= tensor.last; at++) {
      const own = alive.get(at);
      if (own === undefined) alive.set(at, [placed]);
      else own.push(placed);
    }
  }
  return { arenas, placeOf, liveBytes: mostAlive(lifetimes) };
}

const aliveDuring = (
  alive: ReadonlyMap<number, readonly Placed[]>,
  { first, last }: Lifetime,
): ReadonlySet<Placed> => {
  const found = new Set<Placed>();
  for (let at = first; at <= last; at++) for (const each of alive.get(at) ?? []) found.add(each);
  return found;
};

/** A new arena where no other takes it. */
const bestPlace = (
  { bytes, apart }: Lifetime,
  others: ReadonlySet<Placed>,
  arenas: readonly number[],
  alignment: number,
  largestArena: number,
): Place => {
  let best: Place & { readonly growth: number } = {
    arena: arenas.length,
    offset: 0,
    growth: bytes,
  };
  for (const [arena, extent] of arenas.entries()) {
    const there = [...others].filter((each) => each.arena === arena);
    if (there.some(({ name }) => apart.has(name))) continue;
    const offset = lowestGap(there, bytes, alignment);
    const growth = Math.max(0, offset + bytes - extent);
    if (extent + growth <= largestArena && growth < best.growth) best = { arena, offset, growth };
  }
  return best;
};

const lowestGap = (placed: readonly Placed[], bytes: number, alignment: number): number => {
  let offset = 0;
  for (const each of placed.toSorted((a, b) => a.offset - b.offset)) {
    if (offset + bytes <= each.offset) break;
    offset = Math.max(offset, Math.ceil(each.end / alignment) * alignment);
  }
  return offset;
};

const mostAlive = (lifetimes: readonly Lifetime[]): number => {
  const changes = lifetimes
    .flatMap(({ first, last, bytes }) => [
      { at: first, bytes },
      { at: last + 1, bytes: -bytes },
    ])
    .toSorted((a, b) => a.at - b.at || a.bytes - b.bytes);
  let [alive, most] = [0, 0];
  for (const { bytes } of changes) {
    alive += bytes;
    most = Math.max(most, alive);
  }
  return most;
};
