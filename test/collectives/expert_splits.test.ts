import fc from "fast-check";
import { expect, test } from "vitest";
import { acceptRows, dispatchPieces, receivedRows } from "../../src/collectives/expert_splits.ts";
import { bytesOfPieces, joinPieces, sum } from "../../src/program/exchange/pieces.ts";

const arbitrarySplits = fc
  .record({
    sources: fc.integer({ min: 1, max: 4 }),
    expertsPerRank: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 }),
    capacity: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
  })
  .chain(({ sources, expertsPerRank, capacity }) => {
    const experts = sum(expertsPerRank);
    const row = fc.array(fc.integer({ min: 0, max: 5 }), {
      minLength: experts,
      maxLength: experts,
    });
    return fc.array(row, { minLength: sources, maxLength: sources }).map((counts) => ({
      sources: counts.map((_, i) => i),
      experts: expertsPerRank.map((_, j) => j),
      expertsPerRank,
      counts,
      kept: acceptRows(counts, capacity),
      capacity,
    }));
  });

test("no expert accepts more than its capacity, and none refuses while there is room", () => {
  fc.assert(
    fc.property(arbitrarySplits, ({ counts, kept, capacity = Infinity }) => {
      for (const e of (counts[0] ?? []).keys()) {
        const wanted = sum(counts.map((row) => row[e] ?? 0));
        expect(sum(kept.map((row) => row[e] ?? 0))).toBe(Math.min(wanted, capacity));
      }
    }),
  );
});

test("every expert rank's rows are filled exactly once, whatever the router decides", () => {
  fc.assert(
    fc.property(arbitrarySplits, (splits) => {
      for (const j of splits.experts) {
        const filled = splits.sources
          .flatMap((i) => dispatchPieces(splits, i, j, 1))
          .flatMap(({ targetOffset, bytes }) =>
            Array.from({ length: bytes }, (_, row) => targetOffset + row),
          )
          .toSorted((a, b) => a - b);
        const rows = sum(receivedRows(splits, j));
        expect(filled).toEqual(Array.from({ length: rows }, (_, row) => row));
      }
    }),
  );
});

test("capacity is used up by the first sources", () => {
  expect(acceptRows([[3], [2], [4]], 4)).toEqual([[3], [1], [0]]);
});

test("pieces that touch on both sides become one, empty ones none", () => {
  const pieces = joinPieces([
    { sourceOffset: 0, targetOffset: 8, bytes: 4 },
    { sourceOffset: 4, targetOffset: 12, bytes: 4 },
    { sourceOffset: 8, targetOffset: 16, bytes: 0 },
    { sourceOffset: 12, targetOffset: 16, bytes: 4 },
  ]);
  expect(pieces).toEqual([
    { sourceOffset: 0, targetOffset: 8, bytes: 8 },
    { sourceOffset: 12, targetOffset: 16, bytes: 4 },
  ]);
  expect(bytesOfPieces(pieces)).toBe(12);
});
