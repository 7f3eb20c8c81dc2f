// Where tensors lie that use the same memory at different times: offsets by lifetime (Pisarchyk and Lee, "Efficient
// Memory Management for Deep Neural Net Inference", 2020), in one arena, which is a buffer, or in several where that would be
// too large, or an op must not find two of its tensors in the same (`apart.ts`).
//
// Seats are placed one after another, each at the lowest place of an arena at which nothing lies that lives beside it,
// in the arena that grows least: the largest first, then in orders in which one seat is moved, as long as none takes more.

import { type Lifetime, type Seat, seatsOf } from "./seats.ts";

export interface ArenaPlan {
  /** Bytes of each arena. */
  readonly arenas: readonly number[];
  /** By a tensor's name. */
  readonly placeOf: ReadonlyMap<string, ArenaPlace>;
  /** The most bytes that live at the same time, each tensor with room up to where a binding may begin. */
  readonly liveBytes: number;
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

/** A plan for each of some programs that never run at the same time; all of them have the same arenas. */
export type ShareMemory = (programs: readonly (readonly Lifetime[])[]) => ArenaPlan[];

/**
 * Most ranks do as others do, under other names: what was found for one holds for all.
 *
 * @param alignment of offsets and of arenas' bytes
 * @param largestArena unless a single tensor is larger
 */
export function createSharing(alignment: number, largestArena: number): ShareMemory {
  const known = new Map<string, Placement>();
  const rounded = (lifetime: Lifetime): Lifetime => ({
    ...lifetime,
    bytes: Math.ceil(lifetime.bytes / alignment) * alignment,
  });
  return (programs) => {
    const all = programs.map((lifetimes) => lifetimes.map(rounded));
    const largest = Math.max(...all.flat().map(({ bytes }) => bytes));
    const liveBytes = Math.max(...all.map(mostAlive));
    const seatsByProgram = all.map(seatsOf);
    const seats = seatsByProgram.flat();
    const key = keyOf(seats);
    const found =
      known.get(key) ?? bestPlacement(seats, Math.max(largest, largestArena), liveBytes);
    known.set(key, found);
    const placeOf = new Map(seats.map((seat, i) => [seat, found.places[i]]));
    return seatsByProgram.map((own) => ({
      arenas: found.arenas,
      placeOf: placesOf(own, placeOf),
      liveBytes,
    }));
  };
}

function placesOf(
  seats: readonly Seat[],
  placeOf: ReadonlyMap<Seat, ArenaPlace | undefined>,
): Map<string, ArenaPlace> {
  const places = new Map<string, ArenaPlace>();
  for (const seat of seats) {
    const place = placeOf.get(seat);
    if (place !== undefined) for (const name of seat.tensors) places.set(name, place);
  }
  return places;
}

function keyOf(seats: readonly Seat[]): string {
  const indexOf = new Map(seats.map((seat, i) => [seat, i]));
  const indices = (others: ReadonlySet<Seat>): string =>
    Array.from(others, (seat) => indexOf.get(seat)).join();
  return seats
    .map(({ bytes, beside, apart }) => `${bytes} ${indices(beside)} ${indices(apart)}`)
    .join("\n");
}

function bestPlacement(seats: readonly Seat[], largestArena: number, enough: number): Placement {
  let order = seats.toSorted((a, b) => b.bytes - a.bytes);
  let best = placed(order, largestArena);
  const asTheyCome = placed(seats, largestArena);
  if (asTheyCome.bytes < best.bytes) [order, best] = [[...seats], asTheyCome];
  const below = createNumbers();
  for (let tried = 1; tried < mostTried && best.bytes > enough; tried++) {
    const next = [...order];
    const [moved] = next.splice(below(next.length), 1);
    if (moved === undefined) break;
    next.splice(below(order.length), 0, moved);
    const other = placed(next, largestArena);
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

function placed(order: readonly Seat[], largestArena: number): Trial {
  const placeOf = new Map<Seat, ArenaPlace>();
  const arenas: number[] = [];
  for (const seat of order) {
    const place = bestPlace(seat, placeOf, arenas, largestArena);
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
  let best = { arena: arenas.length, offset: 0, growth: Infinity };
  for (const [arena, extent] of arenas.entries()) {
    if (closed.has(arena)) continue;
    const offset = lowestGap(taken[arena] ?? [], bytes);
    const growth = Math.max(0, offset + bytes - extent);
    if (extent + growth <= largestArena && growth < best.growth) best = { arena, offset, growth };
  }
  return best;
}

function lowestGap(
  taken: readonly { readonly start: number; readonly end: number }[],
  bytes: number,
): number {
  let offset = 0;
  for (const { start, end } of taken.toSorted((a, b) => a.start - b.start)) {
    if (offset + bytes <= start) break;
    offset = Math.max(offset, end);
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
