// Where tensors lie that use the same memory at different times.
//
// What only one layer touches lies in arenas that every layer uses anew: greedy by size with offsets (Pisarchyk and Lee,
// "Efficient Memory Management for Deep Neural Net Inference", 2020). The largest tensor first; each goes to the lowest
// place at which nothing else of the layer lies while it lives, in the arena that grows least. There are several arenas,
// each a buffer: a GPU may not write a buffer in a dispatch that reads another part of it.
//
// What one layer hands to another lies in a slot of its size, the first that is free when it is written: as many as
// live at the same time, which is the least. So equal blocks of layers take what three of them take.

export interface Lifetime {
  readonly name: string;
  readonly bytes: number;
  /** Indices of the first and the last op that touch it. */
  readonly first: number;
  readonly last: number;
  /** The layer in whose place these ops stand; absent where there are several. */
  readonly layer?: string;
  /** Names of tensors that an op touches together with it, writing at least one of the two. */
  readonly apart: ReadonlySet<string>;
}

export interface ArenaPlan {
  /** Bytes of each arena and slot. */
  readonly arenas: readonly number[];
  /** By a tensor's name. */
  readonly placeOf: ReadonlyMap<string, ArenaPlace>;
  /** The most bytes that live at the same time: no way of sharing needs less. */
  readonly liveBytes: number;
}

export interface ArenaPlace {
  readonly arena: number;
  readonly offset: number;
}

interface Placed extends ArenaPlace {
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
): ArenaPlan {
  const most = lifetimes.reduce((largest, { bytes }) => Math.max(largest, bytes), largestArena);
  const byLayer = new Map<string, Lifetime[]>();
  const handedOn: Lifetime[] = [];
  for (const tensor of lifetimes) {
    if (tensor.layer === undefined) {
      handedOn.push(tensor);
      continue;
    }
    const own = byLayer.get(tensor.layer);
    if (own === undefined) byLayer.set(tensor.layer, [tensor]);
    else own.push(tensor);
  }
  const arenas: number[] = [];
  const placeOf = new Map<string, ArenaPlace>();
  for (const own of byLayer.values()) packLayer(own, alignment, most, arenas, placeOf);
  giveSlots(handedOn, arenas, placeOf);
  return { arenas, placeOf, liveBytes: mostAlive(lifetimes) };
}

/** Into arenas that other layers use, too, which grow where this one needs more. */
function packLayer(
  tensors: readonly Lifetime[],
  alignment: number,
  largestArena: number,
  arenas: number[],
  placeOf: Map<string, ArenaPlace>,
): void {
  /** Of this layer alone, so that equal layers are packed alike. */
  const own: number[] = [];
  const alive = new Map<number, Placed[]>();
  const bySize = tensors.toSorted((a, b) => b.bytes - a.bytes || a.first - b.first);
  for (const tensor of bySize) {
    const others = aliveDuring(alive, tensor);
    const { arena, offset } = bestPlace(tensor, others, own, alignment, largestArena);
    const end = offset + tensor.bytes;
    own[arena] = Math.max(own[arena] ?? 0, end);
    placeOf.set(tensor.name, { arena, offset });
    const placed = { name: tensor.name, arena, offset, end };
    for (let at = tensor.first; at <= tensor.last; at++) {
      const there = alive.get(at);
      if (there === undefined) alive.set(at, [placed]);
      else there.push(placed);
    }
  }
  for (const [arena, bytes] of own.entries()) arenas[arena] = Math.max(arenas[arena] ?? 0, bytes);
}

function giveSlots(
  tensors: readonly Lifetime[],
  arenas: number[],
  placeOf: Map<string, ArenaPlace>,
): void {
  const slots = new Map<number, { readonly arena: number; freeFrom: number }[]>();
  for (const { name, bytes, first, last } of tensors.toSorted((a, b) => a.first - b.first)) {
    const own = slots.get(bytes) ?? [];
    slots.set(bytes, own);
    let slot = own.find(({ freeFrom }) => freeFrom <= first);
    if (slot === undefined) {
      slot = { arena: arenas.length, freeFrom: 0 };
      own.push(slot);
      arenas.push(bytes);
    }
    slot.freeFrom = last + 1;
    placeOf.set(name, { arena: slot.arena, offset: 0 });
  }
}

function aliveDuring(
  alive: ReadonlyMap<number, readonly Placed[]>,
  { first, last }: Lifetime,
): ReadonlySet<Placed> {
  const found = new Set<Placed>();
  for (let at = first; at <= last; at++) for (const each of alive.get(at) ?? []) found.add(each);
  return found;
}

/** A new arena where no other takes it. */
function bestPlace(
  { bytes, apart }: Lifetime,
  others: ReadonlySet<Placed>,
  arenas: readonly number[],
  alignment: number,
  largestArena: number,
): ArenaPlace {
  let best: ArenaPlace & { readonly growth: number } = {
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
}

function lowestGap(placed: readonly Placed[], bytes: number, alignment: number): number {
  let offset = 0;
  for (const each of placed.toSorted((a, b) => a.offset - b.offset)) {
    if (offset + bytes <= each.offset) break;
    offset = Math.max(offset, Math.ceil(each.end / alignment) * alignment);
  }
  return offset;
}

function mostAlive(lifetimes: readonly Lifetime[]): number {
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
}
