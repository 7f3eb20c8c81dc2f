import fc from "fast-check";
import { expect, test } from "vitest";
import type { Lifetime } from "../../../src/program/emit/seats.ts";
import { type ArenaPlan, createSharing } from "../../../src/program/emit/share_memory.ts";

const alignment = 16;
const largest = 256;
const sharing = createSharing(alignment, largest);

function shareMemory(lifetimes: readonly Lifetime[]): ArenaPlan {
  const [plan] = sharing([lifetimes]);
  if (plan === undefined) throw new Error("not placed");
  return plan;
}

/** Tensors of a list of ops, each op reading some of those before it and writing one. */
const lifetimes = fc
  .array(
    fc.record({
      bytes: fc.integer({ min: 1, max: 100 }),
      reads: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
      copies: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((ops): Lifetime[] => {
    const last = ops.map((_, at) => at);
    const apart = ops.map(() => new Set<string>());
    for (const [at, { reads, copies }] of ops.entries()) {
      for (const back of reads) {
        const read = at - back;
        if (read < 0) continue;
        last[read] = at;
        if (!copies) continue;
        apart[at]?.add(`${read}`);
        apart[read]?.add(`${at}`);
      }
    }
    return ops.map(({ bytes }, at) => {
      return {
        name: `${at}`,
        kind: `${at % 7}`,
        bytes,
        first: at,
        last: last[at] ?? at,
        apart: apart[at] ?? new Set(),
        copied: new Set(),
      };
    });
  });

test("what lives at the same time does not overlap, and what must be apart is in two arenas", () => {
  fc.assert(
    fc.property(lifetimes, (tensors) => {
      const { arenas, placeOf } = shareMemory(tensors);
      for (const a of tensors) {
        const place = placeOf.get(a.name);
        if (place === undefined) throw new Error("not placed");
        expect(place.offset % alignment).toBe(0);
        expect(place.offset + a.bytes).toBeLessThanOrEqual(arenas[place.arena] ?? 0);
        for (const b of tensors) {
          const other = placeOf.get(b.name);
          if (a === b || other?.arena !== place.arena) continue;
          expect(a.apart.has(b.name)).toBe(false);
          const isBeside = a.last < b.first || b.last < a.first;
          const isBefore =
            place.offset + a.bytes <= other.offset || other.offset + b.bytes <= place.offset;
          expect(isBeside || isBefore).toBe(true);
        }
      }
    }),
  );
});

test("no arena is larger than allowed, and all together hold no less than what lives at once", () => {
  fc.assert(
    fc.property(lifetimes, (tensors) => {
      const { arenas, liveBytes } = shareMemory(tensors);
      expect(Math.max(...arenas)).toBeLessThanOrEqual(largest);
      const bytes = arenas.reduce((sum, each) => sum + each, 0);
      expect(bytes).toBeGreaterThanOrEqual(liveBytes);
      expect(bytes).toBeLessThanOrEqual(
        tensors.reduce((sum, tensor) => sum + tensor.bytes + alignment, 0),
      );
    }),
  );
});

test("a chain of equal tensors that are copied takes two arenas, however long it is", () => {
  const chain = Array.from({ length: 100 }, (_, at): Lifetime => ({
    name: `${at}`,
    kind: "link",
    bytes: 64,
    first: at,
    last: at + 1,
    apart: new Set([`${at - 1}`, `${at + 1}`]),
    copied: new Set(),
  }));
  expect(shareMemory(chain)).toMatchObject({
    arenas: [64, 64],
    liveBytes: 128,
  });
});

/** Of which each is copied to the next. */
function copiedChain(sizes: readonly number[]): Lifetime[] {
  return sizes.map((bytes, at) => ({
    name: `${at}`,
    kind: `${at}`,
    bytes,
    first: at,
    last: at + 1,
    apart: new Set(),
    copied: new Set([`${at - 1}`, `${at + 1}`]),
  }));
}

test("tensors that are copied are in two arenas where that takes about as much as lives at once", () => {
  const { arenas } = shareMemory(copiedChain([64, 64, 64, 64]));
  expect(arenas).toEqual([64, 64]);
});

test("where it takes more they lie in one", () => {
  const { arenas, liveBytes } = shareMemory(copiedChain([96, 32, 32, 96]));
  expect([arenas, liveBytes]).toEqual([[128], 128]);
});

test("tensors that one op reads and writes lie in one arena", () => {
  const chain = Array.from({ length: 100 }, (_, at): Lifetime => ({
    name: `${at}`,
    kind: "link",
    bytes: 64,
    first: at,
    last: at + 1,
    apart: new Set(),
    copied: new Set(),
  }));
  expect(shareMemory(chain)).toMatchObject({ arenas: [128], liveBytes: 128 });
});

test("programs that never run at the same time have the same arenas, which hold either", () => {
  fc.assert(
    fc.property(lifetimes, lifetimes, (one, other) => {
      const plans = sharing([one, other]);
      expect(plans[0]?.arenas).toEqual(plans[1]?.arenas);
      for (const [i, tensors] of [one, other].entries()) {
        for (const { name, bytes } of tensors) {
          const { arena = 0, offset = Infinity } = plans[i]?.placeOf.get(name) ?? {};
          expect(offset + bytes).toBeLessThanOrEqual(plans[i]?.arenas[arena] ?? 0);
        }
      }
      const apart = [one, other].map((tensors) => shareMemory(tensors).liveBytes);
      expect(plans[0]?.liveBytes).toBe(Math.max(...apart));
    }),
  );
});

test("equal layers in a row take what three of them take", () => {
  const layers = (count: number): Lifetime[] =>
    Array.from({ length: count }, (_, layer) => {
      const at = 4 * layer;
      const named = (part: string, bytes: number, first: number, last: number): Lifetime => ({
        name: `${layer}/${part}`,
        kind: part,
        bytes,
        first: at + first,
        last: at + last,
        apart: new Set(),
        copied: new Set(),
      });
      return [named("up", 90, 0, 1), named("gate", 70, 1, 2), named("down", 30, 2, 5)];
    }).flat();
  const [few, many] = [3, 50].map((count) => shareMemory(layers(count)).arenas);
  expect(many).toEqual(few);
});

test("a single tensor may be larger than an arena", () => {
  const tensor = {
    name: "logits",
    kind: "logits",
    bytes: 1000,
    first: 0,
    last: 1,
    apart: new Set<string>(),
    copied: new Set<string>(),
  };
  expect(shareMemory([tensor]).arenas).toEqual([1008]);
});
