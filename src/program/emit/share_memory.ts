// Where tensors lie that use the same memory at different times: offsets by lifetime (Pisarchyk and Lee, "Efficient
// Memory Management for Deep Neural Net Inference", 2020), in several arenas, each a buffer. In WebGPU a dispatch may
// write several parts of a buffer, but none while it reads another.
//
// Seats are placed one after another, each at the lowest place of an arena at which nothing lies that lives beside it,
// in the arena that grows least: the largest first, then in orders in which one seat is moved, as long as none takes more.

import { type Lifetime, type Seat, seatsOf } from "./seats.ts";

export interface ArenaPlan {
  /** Bytes of each arena. */
  readonly arenas: readonly number[];
  /** By a tensor's name. */
  readonly placeOf: ReadonlyMap<string, ArenaPlace>;
  /** The most bytes that live at the same time: no way of sharing needs less. */
  readonly liveBytes: number;
  /**
   * No way of sharing in buffers that no dispatch both reads and writes needs less: the buffer of the largest tensor holds
   * that, and of what an op reads and of what it writes all of one lies in other buffers.
   */
  readonly leastBytes: number;
}

export interface ArenaPlace {
  readonly arena: number;
  readonly offset: number;
}

interface Placement {
  readonly arenas: readonly number[];
  /** By the seat's index. */
  readonly places: readonly ArenaPlace[];
}

/** Placements that are tried: a few milliseconds. */
const mostTried = 200;

/** @param opposed bytes of all that an op reads or of all that it writes, whichever is less: of the op with most */
export type ShareMemory = (lifetimes: readonly Lifetime[], opposed: number) => ArenaPlan;

/**
 * Most ranks do as others do, under other names: what was found for one holds for all.
 *
 * @param alignment of offsets, bytes
 * @param largestArena unless a single tensor is larger
 */
export function createSharing(alignment: number, largestArena: number): ShareMemory {
  const known = new Map<string, Placement>();
  return (lifetimes, opposed) => {
    const largest = lifetimes.reduce((most, { bytes }) => Math.max(most, bytes), 0);
    const liveBytes = mostAlive(lifetimes);
    const leastBytes = Math.max(liveBytes, largest + opposed);
    const seats = seatsOf(lifetimes);
    const key = keyOf(seats);
    const found =
      known.get(key) ??
      bestPlacement(seats, alignment, Math.max(largest, largestArena), leastBytes);
    known.set(key, found);
    const placeOf = new Map<string, ArenaPlace>();
    for (const [i, { tensors }] of seats.entries()) {
      const place = found.places[i];
      if (place !== undefined) for (const name of tensors) placeOf.set(name, place);
    }
    return { arenas: found.arenas, placeOf, liveBytes, leastBytes };
  };
}

function keyOf(seats: readonly Seat[]): string {
  const indexOf = new Map(seats.map((seat, i) => [seat, i]));
  const indices = (others: ReadonlySet<Seat>): string =>
    Array.from(others, (seat) => indexOf.get(seat)).join();
  return seats
    .map(({ bytes, beside, apart }) => `${bytes} ${indices(beside)} ${indices(apart)}`)
    .join("\n");
}

function bestPlacement(
  seats: readonly Seat[],
  alignment: number,
  largestArena: number,
  enough: number,
): Placement {
  let order = seats.toSorted((a, b) => b.bytes - a.bytes);
  let best = placed(order, alignment, largestArena);
  const below = createNumbers();
  for (let tried = 1; tried < mostTried && best.bytes > enough; tried++) {
    const next = [...order];
    const [moved] = next.splice(below(next.length), 1);
    if (moved === undefined) break;
    next.splice(below(order.length), 0, moved);
    const other = placed(next, alignment, largestArena);
    if (other.bytes > best.bytes) continue;
    [order, best] = [next, other];
  }
  const { arenas, placeOf } = best;
  return { arenas, places: seats.flatMap((seat) => placeOf.get(seat) ?? []) };
}

/** Whole numbers below a limit, the same in every run (Knuth's multiplicative generator, as in Numerical Recipes). */
function createNumbers() {
  let state = 1;
  return (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

interface Trial {
  readonly arenas: readonly number[];
  readonly bytes: number;
  readonly placeOf: ReadonlyMap<Seat, ArenaPlace>;
}

function placed(order: readonly Seat[], alignment: number, largestArena: number): Trial {
  const placeOf = new Map<Seat, ArenaPlace>();
  const arenas: number[] = [];
  for (const seat of order) {
    const place = bestPlace(seat, placeOf, arenas, alignment, largestArena);
    placeOf.set(seat, place);
    const end = place.offset + seat.bytes;
    arenas[place.arena] = Math.max(arenas[place.arena] ?? 0, end);
  }
  const bytes = arenas.reduce((sum, each) => sum + each, 0);
  return { arenas, bytes, placeOf };
}

/** A new arena where no other takes it. */
function bestPlace(
  { bytes, beside, apart }: Seat,
  placeOf: ReadonlyMap<Seat, ArenaPlace>,
  arenas: readonly number[],
  alignment: number,
  largestArena: number,
): ArenaPlace {
  const closed = new Set<number>();
  for (const seat of apart) {
    const there = placeOf.get(seat);
    if (there !== undefined) closed.add(there.arena);
  }
  const taken = arenas.map((): { readonly start: number; readonly end: number }[] => []);
  for (const seat of beside) {
    const there = placeOf.get(seat);
    if (there === undefined) continue;
    taken[there.arena]?.push({ start: there.offset, end: there.offset + seat.bytes });
  }
  let best = { arena: arenas.length, offset: 0, growth: bytes };
  for (const [arena, extent] of arenas.entries()) {
    if (closed.has(arena)) continue;
    const offset = lowestGap(taken[arena] ?? [], bytes, alignment);
    const growth = Math.max(0, offset + bytes - extent);
    if (extent + growth <= largestArena && growth < best.growth) best = { arena, offset, growth };
  }
  return best;
}

function lowestGap(
  taken: readonly { readonly start: number; readonly end: number }[],
  bytes: number,
  alignment: number,
): number {
  let offset = 0;
  for (const { start, end } of taken.toSorted((a, b) => a.start - b.start)) {
    if (offset + bytes <= start) break;
    offset = Math.max(offset, Math.ceil(end / alignment) * alignment);
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
