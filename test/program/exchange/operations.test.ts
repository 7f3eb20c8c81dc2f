import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOfPieces } from "../../../src/program/exchange/pieces.ts";
import {
  exchangeOf,
  isSized,
  type SizedCollective,
} from "../../../src/program/exchange/operations.ts";
import type { Collective } from "../../../src/program/program.ts";
import { createWireCount } from "../../../src/program/wire.ts";

const group = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1 });
const count = fc.nat({ max: 1000 });
const lists = { minLength: 5, maxLength: 5 };

const arbitraryCollective = fc
  .record({
    from: group,
    to: group,
    dtype: fc.constantFrom("f32" as const, "f16" as const),
    table: fc.array(fc.array(count, lists), lists),
    op: fc.constantFrom(
      "all-gather" as const,
      "gather" as const,
      "scatter" as const,
      "all-to-all" as const,
      "broadcast" as const,
      "send" as const,
    ),
  })
  .map(({ from, to, dtype, table, op }): SizedCollective => {
    const origin = { stage: "s", layer: "s/0.x", microBatch: 0, phase: "forward" as const };
    const common = { origin, name: "x", channel: 0, dtype, from, to };
    const [first = []] = table;
    if (op === "all-gather" || op === "gather") {
      return { ...common, op, counts: first.slice(0, from.length) };
    }
    if (op === "scatter") return { ...common, op, counts: first.slice(0, to.length) };
    if (op === "all-to-all") {
      const counts = table.slice(0, from.length).map((row) => row.slice(0, to.length));
      return { ...common, op, counts };
    }
    return { ...common, op, count: first[0] ?? 0 };
  });

describe("wire bytes", () => {
  test("are those of the pieces that are exchanged with other ranks", () => {
    fc.assert(
      fc.property(arbitraryCollective, (collective) => {
        const { from, to, pieces } = exchangeOf(collective);
        const wire = createWireCount();
        for (const rank of new Set([...from, ...to])) {
          const [i, j] = [from.indexOf(rank), to.indexOf(rank)];
          const sent = to.map((reader, at) =>
            i < 0 || reader === rank ? 0 : bytesOfPieces(pieces(i, at)),
          );
          const received = from.map((source, at) =>
            j < 0 || source === rank ? 0 : bytesOfPieces(pieces(at, j)),
          );
          expect(wire(collective, rank)).toEqual({
            sent: sent.reduce((a, b) => a + b, 0),
            received: received.reduce((a, b) => a + b, 0),
            largestPiece: Math.max(...sent, ...received),
          });
        }
      }),
    );
  });
});

test("experts' transfers have no sizes before they run, all others do", () => {
  const of = (op: string) => ({ op }) as Collective;
  expect(isSized(of("expert-dispatch"))).toBe(false);
  expect(isSized(of("expert-combine"))).toBe(false);
  expect(isSized(of("recv"))).toBe(true);
});
