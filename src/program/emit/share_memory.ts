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

/** Placements that are tried, at most: many seats take longer to be placed. */
const mostTried = 1000;
const pairsTried = 4e6;
/** Beside what lives at once. */
const goodEnough = 1.02;

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
    const largest = all.flat().reduce((most, { bytes }) => Math.max(most, bytes), 0);
    const liveBytes = Math.max(...all.map(mostAlive));
    const seatsByProgram = all.map(seatsOf);
    const seats = indexed(seatsByProgram.flat());
    const key = JSON.stringify(seats);
    const found =
      known.get(key) ??
      bestPlacement(seats, Math.max(largest, largestArena), goodEnough * liveBytes);
    known.set(key, found);
    let next = 0;
    return seatsByProgram.map((own) => {
      const places = found.places.slice(next, (next += own.length));
      const placeOf = new Map(
        places.flatMap((place, i) => own[i]?.tensors.map((name) => [name, place] as const) ?? []),
      );
      return { arenas: found.arenas, placeOf, liveBytes };
    });
  };
}

/** A seat, with indices of others. */
interface Indexed {
  readonly bytes: number;
  readonly beside: readonly number[];
  readonly apart: readonly number[];
}

function indexed(seats: readonly Seat[]): Indexed[] {
  const indexOf = new Map(seats.map((seat, i) => [seat, i]));
  const indices = (others: ReadonlySet<Seat>): number[] =>
    Array.from(others, (seat) => indexOf.get(seat) ?? -1);
  return seats.map(({ bytes, beside, apart }) => ({
    bytes,
    beside: indices(beside),
    apart: indices(apart),
  }));
}

function bestPlacement(seats: readonly Indexed[], largestArena: number, enough: number): Placement {
  const asTheyCome = [...seats.keys()];
  let order = asTheyCome.toSorted((a, b) => (seats[b]?.bytes ?? 0) - (seats[a]?.bytes ?? 0));
  let best = placed(seats, order, largestArena);
  const below = createNumbers();
  const tries = Math.min(mostTried, pairsTried / seats.length ** 2);
  for (let tried = 0; tried < tries && best.bytes > enough; tried++) {
    const next = tried === 0 ? asTheyCome : moveOne(order, below);
    const other = placed(seats, next, largestArena, best.bytes);
    if (other.bytes <= best.bytes) [order, best] = [next, other];
  }
  return best;
}

function moveOne(order: readonly number[], below: (limit: number) => number): number[] {
  const next = [...order];
  const moved = next.splice(below(next.length), 1);
  next.splice(below(order.length), 0, ...moved);
  return next;
}

/** Whole numbers below a limit, the same in every run (Knuth's multiplicative generator, as in Numerical Recipes). */
function createNumbers() {
  let state = 1;
  return (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

interface Trial extends Placement {
  readonly bytes: number;
}

/** @param most bytes that are of interest: a trial that takes more ends there, with more */
function placed(
  seats: readonly Indexed[],
  order: readonly number[],
  largestArena: number,
  most = Infinity,
): Trial {
  const places: ArenaPlace[] = [];
  const arenas: number[] = [];
  let bytes = 0;
  for (const i of order) {
    const seat = seats[i];
    if (seat === undefined || bytes > most) break;
    const { arena, offset, growth } = bestPlace(seat, seats, places, arenas, largestArena);
    places[i] = { arena, offset };
    arenas[arena] = (arenas[arena] ?? 0) + growth;
    bytes += growth;
  }
  return { arenas, bytes, places };
}

interface Growth extends ArenaPlace {
  readonly growth: number;
}

/** @param places by index, of those that are placed. A new arena where no other takes it. */
function bestPlace(
  { bytes, beside, apart }: Indexed,
  seats: readonly Indexed[],
  places: readonly (ArenaPlace | undefined)[],
  arenas: readonly number[],
  largestArena: number,
): Growth {
  const closed = new Set(apart.map((other) => places[other]?.arena));
  const taken = arenas.map((): Extent[] => []);
  for (const other of beside) {
    const there = places[other];
    if (there === undefined) continue;
    const end = there.offset + (seats[other]?.bytes ?? 0);
    taken[there.arena]?.push({ start: there.offset, end });
  }
  let best: Growth | undefined;
  for (const [arena, extent] of arenas.entries()) {
    if (closed.has(arena)) continue;
    const offset = lowestGap(taken[arena] ?? [], bytes);
    const growth = Math.max(0, offset + bytes - extent);
    const isLess = best === undefined || growth < best.growth;
    if (isLess && extent + growth <= largestArena) best = { arena, offset, growth };
  }
  return best ?? { arena: arenas.length, offset: 0, growth: bytes };
}

interface Extent {
  readonly start: number;
  readonly end: number;
}

function lowestGap(taken: readonly Extent[], bytes: number): number {
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
