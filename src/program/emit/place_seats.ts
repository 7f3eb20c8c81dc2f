// Where seats lie in arenas: one after another, each at the lowest place of an arena at which nothing lies that lives
// beside it, in the arena that grows least. The order decides what that takes. It is searched by squeaky wheel
// optimization (Joslin and Clements, 1999): the seat for which an arena had to grow last goes to the front of the next
// order. Where that finds nothing better, the search goes on beside the best order (Lourenço, Martin and Stützle,
// "Iterated Local Search", 2003).

export interface ArenaPlace {
  readonly arena: number;
  readonly offset: number;
}

export interface PlacedSeats {
  /** Bytes of each arena. */
  readonly arenas: readonly number[];
  /** By the seat's index. */
  readonly places: readonly ArenaPlace[];
  /** Of all arenas. */
  readonly bytes: number;
}

/** A seat, with indices of others. */
export interface IndexedSeat {
  readonly bytes: number;
  /** What lives while it does. */
  readonly beside: readonly number[];
  /** Of these, what is in another arena. */
  readonly apart: readonly number[];
}

/** Orders that are tried from each of the first, at most: many seats take longer to be placed. */
const mostTried = 500;
const pairsTried = 2e6;
/** Orders in a row that take no less. */
const patience = 8;

/**
 * The least that is found.
 *
 * @param largestArena bytes; no seat is larger
 * @param enough bytes with which the search ends
 */
export function placeSeats(
  seats: readonly IndexedSeat[],
  largestArena: number,
  enough: number,
): PlacedSeats {
  const tries = Math.min(mostTried, pairsTried / seats.length ** 2);
  let best: PlacedSeats = { arenas: [], places: [], bytes: Infinity };
  let bestOrder: readonly number[] = [];
  let inVain = 0;
  const below = createNumbers();
  for (const first of firstOrders(seats)) {
    let order: readonly number[] = first;
    for (let tried = 0; tried === 0 || tried < tries; tried++) {
      const { lastGrown, ...trial } = placed(seats, order, largestArena, best.bytes);
      inVain = trial.bytes < best.bytes ? 0 : inVain + 1;
      if (inVain === 0) [best, bestOrder] = [trial, order];
      if (best.bytes <= enough) return best;
      order =
        inVain % patience === patience - 1
          ? moveOne(bestOrder, below)
          : [lastGrown, ...order.filter((seat) => seat !== lastGrown)];
    }
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

/** The largest first; what keeps most room taken first, by its size and by how much lives beside it. */
function firstOrders(seats: readonly IndexedSeat[]): number[][] {
  const by = (weight: (seat: IndexedSeat) => number): number[] => {
    const weights = seats.map(weight);
    return [...seats.keys()].toSorted((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
  };
  return [by(({ bytes }) => bytes), by(({ bytes, beside }) => bytes * beside.length)];
}

interface Trial extends PlacedSeats {
  /** The last seat for which an arena became larger. */
  readonly lastGrown: number;
}

/** @param most bytes from which on a trial is of no interest: it ends there */
function placed(
  seats: readonly IndexedSeat[],
  order: readonly number[],
  largestArena: number,
  most: number,
): Trial {
  const places: ArenaPlace[] = [];
  const arenas: number[] = [];
  let bytes = 0;
  let lastGrown = 0;
  for (const i of order) {
    const seat = seats[i];
    if (seat === undefined || bytes >= most) break;
    const { arena, offset, growth } = bestPlace(seat, seats, places, arenas, largestArena);
    places[i] = { arena, offset };
    arenas[arena] = (arenas[arena] ?? 0) + growth;
    bytes += growth;
    if (growth > 0) lastGrown = i;
  }
  return { arenas, bytes, places, lastGrown };
}

interface Growth extends ArenaPlace {
  readonly growth: number;
}

/** @param places by index, of those that are placed. A new arena where no other takes it. */
function bestPlace(
  { bytes, beside, apart }: IndexedSeat,
  seats: readonly IndexedSeat[],
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
