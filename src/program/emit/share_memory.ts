// Where tensors lie that use the same memory at different times: offsets by lifetime (Pisarchyk and Lee, "Efficient
// Memory Management for Deep Neural Net Inference", 2020), in one arena, which is a buffer, or in several where that would
// be too large, or an op should not find two of its tensors in the same (`apart.ts`).

import { type ArenaPlace, type IndexedSeat, type PlacedSeats, placeSeats } from "./place_seats.ts";
import { type Lifetime, type Seat, seatsOf } from "./seats.ts";

export interface ArenaPlan {
  /** Bytes of each arena. */
  readonly arenas: readonly number[];
  /** By a tensor's name. */
  readonly placeOf: ReadonlyMap<string, ArenaPlace>;
  /** The most bytes that live at the same time, each tensor with room up to where a binding may begin. */
  readonly liveBytes: number;
}

/** Beside what lives at once: with what the search ends, and what has to be reached. */
const goodEnough = 1.02;
const wanted = 1.1;

/** A plan for each of some programs that never run at the same time; all of them have the same arenas. */
export type ShareMemory = (programs: readonly (readonly Lifetime[])[]) => ArenaPlan[];

/**
 * Most ranks do as others do, under other names: what was found for one holds for all.
 *
 * @param alignment of offsets and of arenas' bytes
 * @param commonArena bytes of a buffer that every adapter takes
 */
export function createSharing(alignment: number, commonArena: number): ShareMemory {
  const known = new Map<string, PlacedSeats>();
  const rounded = (lifetime: Lifetime): Lifetime => ({
    ...lifetime,
    bytes: Math.ceil(lifetime.bytes / alignment) * alignment,
  });
  return (programs) => {
    const all = programs.map((lifetimes) => lifetimes.map(rounded));
    const liveBytes = Math.max(...all.map(mostAlive));
    const seatsByProgram = all.map(seatsOf);
    const seats = seatsByProgram.flat();
    const key = JSON.stringify([indexed(seats, apartOrCopied), indexed(seats, apartOnly)]);
    const found = known.get(key) ?? bestPlacement(seats, commonArena, liveBytes);
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

function indexed(
  seats: readonly Seat[],
  apartOf: (seat: Seat) => readonly Seat[],
): readonly IndexedSeat[] {
  const indexOf = new Map(seats.map((seat, i) => [seat, i]));
  const indices = (others: Iterable<Seat>): number[] =>
    Array.from(others, (seat) => indexOf.get(seat) ?? -1);
  return seats.map((seat) => ({
    bytes: seat.bytes,
    beside: indices(seat.beside),
    apart: indices(apartOf(seat)),
  }));
}

function apartOnly({ apart }: Seat): Seat[] {
  return [...apart];
}

function apartOrCopied({ apart, copied }: Seat): Seat[] {
  return [...new Set([...apart, ...copied])];
}

/**
 * As long as that takes too much: what is copied to each other may lie in one arena, then arenas may be as large as
 * adapters that have room for the largest tensor commonly allow.
 */
function bestPlacement(
  seats: readonly Seat[],
  commonArena: number,
  liveBytes: number,
): PlacedSeats {
  const largest = Math.max(0, ...seats.map(({ bytes }) => bytes));
  const common = Math.max(largest, commonArena);
  const ways = [
    [apartOrCopied, common],
    [apartOnly, common],
    [apartOnly, largestFor(largest, commonArena)],
  ] as const;
  let best: PlacedSeats | undefined;
  for (const [apartOf, largestArena] of ways) {
    const found = placeSeats(indexed(seats, apartOf), largestArena, goodEnough * liveBytes);
    if (best === undefined || found.bytes < best.bytes) best = found;
    if (best.bytes <= wanted * liveBytes) break;
  }
  return best ?? { arenas: [], places: [], bytes: 0 };
}

/**
 * Every adapter binds half of what its buffers may be, and one that binds more takes buffers of four times that, or of
 * twice as much again: so browsers group adapters.
 */
function largestFor(tensor: number, commonArena: number): number {
  if (tensor <= commonArena / 2) return commonArena;
  const tiers = [4, 8, 16].map((times) => times * commonArena);
  return tiers.find((tier) => tensor <= tier) ?? tensor;
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
