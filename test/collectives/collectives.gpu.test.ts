import { expect, test } from "vitest";
import { bytesPerElement, type StorageType } from "../../src/kernels/storage.ts";
import { algorithmNames } from "../../src/program/exchange/all_reduce/algorithms.ts";
import type { TransportName } from "../../src/collectives/transport/transports.ts";
import { chunkBytes } from "../../src/program/exchange/chunks.ts";
import { openRanks } from "../../src/runtime/coordinator.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { randomSource } from "../support/tensors.ts";
import { addCase, type Case, verify } from "./collective_cases.ts";
import { drafts, programOf } from "./small_programs.ts";

type Op = Case["op"];

/** Empty, odd, whole quads, and larger than a workgroup. */
const sizes = [20, 0, 3, 1, 4, 1029, 7];
function sizeOf(index: number): number {
  return sizes[index % sizes.length] ?? 0;
}

const everyOp: readonly Op[] = [
  "all-gather",
  "all-reduce",
  "reduce-scatter",
  "all-to-all",
  "gather",
  "scatter",
  "reduce",
  "broadcast",
  "send",
];

/** Collectives with one member on a side take the first of the group. */
function groupsFor(op: Op, from: readonly number[], to: readonly number[]) {
  const fromOne = op === "broadcast" || op === "scatter" || op === "send";
  const toOne = op === "gather" || op === "reduce" || op === "send";
  return { from: fromOne ? from.slice(0, 1) : from, to: toOne ? to.slice(0, 1) : to };
}

function countFor(op: Op, salt: number): Case["count"] {
  return (i, j) => {
    if (op === "all-to-all") return sizeOf(i * 3 + j + salt);
    if (op === "all-gather" || op === "gather") return sizeOf(i + salt);
    return op === "reduce-scatter" || op === "scatter" ? sizeOf(j + salt) : sizeOf(salt);
  };
}

/** Every collective on groups of one size among `ranks`: the same on both sides, overlapping, in place. */
function casesOf(members: number, ranks: number): Case[] {
  const all = Array.from({ length: ranks }, (_, rank) => (rank * 5 + members) % ranks);
  const from = all.slice(0, members);
  const shifted = [...all, ...all].slice(1, 1 + Math.max(1, members - 1)).toReversed();
  return everyOp.flatMap((op, o): Case[] => {
    const named = (to: readonly number[], salt: number, more: Partial<Case> = {}): Case => {
      const groups = groupsFor(op, from, to);
      const detail = Object.values(more).filter((value) => typeof value !== "function");
      const layer = `${op} ${salt} from ${groups.from.join()} to ${groups.to.join()} ${detail.join()}`;
      return { layer, op, ...groups, count: countFor(op, salt), ...more };
    };
    const salt = members + o;
    return [
      named(from, salt),
      named(shifted, salt + 1),
      // In place, an all-to-all cannot move the piece that a rank keeps.
      named(from, salt + 2, {
        inPlace: true,
        ...(op === "all-to-all" ? { count: () => sizeOf(salt) } : {}),
      }),
      ...(op === "all-reduce"
        ? algorithmNames.flatMap((algorithm) => [
            named(from, salt + 3, { algorithm }),
            named(from, 5, { algorithm, inPlace: true }),
          ])
        : []),
    ];
  });
}

/** Messages of two chunks. */
function largeCases(ranks: readonly number[], dtype: StorageType, beyond: number): Case[] {
  return (["all-gather", "all-reduce", "reduce-scatter", "all-to-all"] as const).map((op) => ({
    layer: `${op}, a chunk and ${beyond}`,
    op,
    from: ranks,
    to: ranks,
    count: () => chunkBytes / bytesPerElement(dtype) + beyond,
    inPlace: beyond % 4 === 0,
  }));
}

async function play(
  ranks: number,
  cases: readonly { readonly one: Case; readonly dtype: StorageType }[],
  transport: TransportName = "shared-memory",
): Promise<number> {
  const { choice } = (await testGpu()).report;
  const all = drafts(ranks);
  for (const [channel, { one, dtype }] of cases.entries()) {
    for (const draft of all) addCase(draft, one, channel, dtype, "workspace");
  }
  const placement = all.map(() => choice);
  const pool = await openRanks(programOf(all, "f32"), placement, { transport });
  try {
    for (const declared of all) {
      const bytes = declared.buffers.reduce((sum, buffer) => sum + buffer.bytes, 0);
      expect(pool.allocatedBytes[declared.rank]).toBe(bytes);
    }
    await pool.step();
    // The second round goes through mailboxes that were used before.
    const observations = await pool.observe();
    for (const { one, dtype } of cases) {
      verify(observations, one, dtype);
    }
    return cases.length;
  } finally {
    await pool.close();
  }
}

function inDtype(dtype: StorageType, cases: readonly Case[]) {
  return cases.map((one) => ({ one: { ...one, layer: `${one.layer} ${dtype}` }, dtype }));
}

function inBoth(cases: readonly Case[]) {
  return [...inDtype("f32", cases), ...inDtype("f16", cases)];
}

describeOnAdapter("collectives between rank processes", () => {
  test("on groups of 1 to 8 ranks agree with plain sums and concatenations", async () => {
    const cases = inBoth(Array.from({ length: 8 }, (_, n) => casesOf(n + 1, 8)).flat());
    const random = randomSource(1);
    const keys = new Map(cases.map((one) => [one, random()]));
    const order = cases.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
    expect(await play(8, order)).toBe(cases.length);
  });

  test("of several chunks agree with plain sums and concatenations", async () => {
    const whole = inDtype("f32", largeCases([2, 0, 1], "f32", 4));
    const odd = inDtype("f16", largeCases([1, 2], "f16", 5));
    expect(await play(3, [...whole, ...odd])).toBe(whole.length + odd.length);
  });

  test("without shared memory agree with plain sums and concatenations", async () => {
    const cases = inBoth([...casesOf(3, 3), ...casesOf(2, 3)]);
    expect(await play(3, cases, "relay")).toBe(cases.length);
  });
});
