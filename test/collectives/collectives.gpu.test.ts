import { expect, test } from "vitest";
import { largestMessage } from "../../src/collectives/mailboxes.ts";
import { bytesPerElement, type StorageType } from "../../src/kernels/storage.ts";
import type { Collective } from "../../src/program/program.ts";
import { openRanks } from "../../src/runtime/coordinator.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import {
  contentValues,
  declare,
  type Draft,
  drafts,
  observe,
  originOf,
  programOf,
  shown,
  uniform,
} from "./small_programs.ts";

interface Case {
  readonly layer: string;
  readonly op: "all-gather" | "all-reduce" | "reduce-scatter" | "all-to-all" | "broadcast" | "send";
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Elements of piece (i, j); which of the indices matter is the collective's matter. */
  readonly count: (i: number, j: number) => number;
}

/** Groups that are equal, overlap, share nothing, or have one member. */
const groups: Record<number, readonly (readonly [readonly number[], readonly number[]])[]> = {
  1: [[[0], [0]]],
  2: [
    [
      [0, 1],
      [0, 1],
    ],
    [[0, 1], [1]],
    [[1], [0, 1]],
    [
      [1, 0],
      [0, 1],
    ],
  ],
  3: [
    [
      [0, 1, 2],
      [0, 1, 2],
    ],
    [
      [0, 1],
      [1, 2],
    ],
    [[1, 2], [2]],
    [[2], [0, 1]],
  ],
  4: [
    [
      [0, 1, 2, 3],
      [3, 1, 0, 2],
    ],
    [
      [0, 1],
      [2, 3],
    ],
    [[3, 0, 1], [2]],
  ],
};

/** Whole quads, as rows in memory are; some pieces empty, some larger than a workgroup. */
const sizes = [20, 0, 4, 1028];
const sizeOf = (index: number): number => sizes[index % sizes.length] ?? 0;

const casesOn = (ranks: number): Case[] =>
  (groups[ranks] ?? []).flatMap(([from, to], g): Case[] => {
    const named = (op: Case["op"], count: Case["count"]): Case => ({
      layer: `${op} from ${from.join()} to ${to.join()}`,
      op,
      from,
      to,
      count,
    });
    return [
      named("all-gather", (i) => sizeOf(i + g)),
      named("all-reduce", () => 1028),
      named("reduce-scatter", (_, j) => sizeOf(j + g)),
      named("all-to-all", (i, j) => sizeOf(i * 3 + j + g)),
      ...(from.length === 1 ? [named("broadcast", () => 260)] : []),
      ...(from.length === 1 && to.length === 1 ? [named("send", () => 36)] : []),
    ];
  });

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

const sentCounts = ({ op, to, count }: Case, i: number): number[] =>
  op === "reduce-scatter" || op === "all-to-all" ? to.map((_, j) => count(i, j)) : [count(i, 0)];

const sentContent = (one: Case, i: number) =>
  uniform(`${one.layer}/${i}`, total(sentCounts(one, i)));

/** The elements that arrive at member j. */
function expected(one: Case, j: number, dtype: StorageType): number[] {
  const { op, from } = one;
  const pieces = from.map((_, i) => {
    const counts = sentCounts(one, i);
    const own = counts.length > 1 || op === "reduce-scatter" || op === "all-to-all" ? j : 0;
    const start = total(counts.slice(0, own));
    const sent = total(counts) === 0 ? [] : contentValues(sentContent(one, i), dtype);
    return sent.slice(start, start + (counts[own] ?? 0));
  });
  if (op !== "all-reduce" && op !== "reduce-scatter") return pieces.flat();
  return (pieces[0] ?? []).map((_, e) => total(pieces.map((piece) => piece[e] ?? 0)));
}

function instructionOf(one: Case, channel: number, dtype: StorageType, rank: number): Collective {
  const { op, layer, from, to, count } = one;
  const at = to.indexOf(rank);
  const reduces = op === "all-reduce" || op === "reduce-scatter";
  const common = {
    origin: originOf(layer),
    name: layer,
    channel,
    dtype,
    from,
    to,
    ...(from.includes(rank) ? { send: `${layer}/send`, staging: `${layer}/staging` } : {}),
    ...(at < 0 ? {} : { receive: `${layer}/receive` }),
    ...(at >= 0 && reduces ? { workspace: `${layer}/workspace` } : {}),
  };
  switch (op) {
    case "all-gather":
      return { op, ...common, counts: from.map((_, i) => count(i, 0)) };
    case "reduce-scatter":
      return { op, ...common, counts: to.map((_, j) => count(0, j)) };
    case "all-to-all":
      return { op, ...common, counts: from.map((_, i) => to.map((__, j) => count(i, j))) };
    case "send":
      return { op: from.includes(rank) ? "send" : "recv", ...common, count: count(0, 0) };
    case "all-reduce":
    case "broadcast":
      return { op, ...common, count: count(0, 0) };
  }
}

function addCase(draft: Draft, one: Case, channel: number, dtype: StorageType): void {
  const { layer, from, to } = one;
  const { rank } = draft;
  const [i, j] = [from.indexOf(rank), to.indexOf(rank)];
  if (i < 0 && j < 0) return;
  const instruction = instructionOf(one, channel, dtype, rank);
  if (i >= 0) {
    const sent = total(sentCounts(one, i));
    const content = sent === 0 ? undefined : sentContent(one, i);
    declare(draft, `${layer}/send`, "weight", dtype, sent, content);
    const staged = largestMessage(draft, instruction) / bytesPerElement(dtype);
    declare(draft, `${layer}/staging`, "staging", dtype, staged);
  }
  if (j >= 0) {
    const arrives = expected(one, j, dtype).length;
    declare(draft, `${layer}/receive`, "activation", dtype, arrives);
    declare(draft, `${layer}/workspace`, "workspace", dtype, arrives * from.length);
  }
  draft.instructions.push(instruction);
  if (j >= 0) observe(draft, layer, `${layer}/receive`);
}

describeOnAdapter("collectives between rank processes", () => {
  const worlds = [1, 2, 3, 4].flatMap((ranks) =>
    (["f32", "f16"] as const).map(
      (dtype) => ({ ranks, dtype, transport: "shared-memory" }) as const,
    ),
  );
  const relayed = [{ ranks: 3, dtype: "f32", transport: "relay" } as const];

  test.each([...worlds, ...relayed])(
    "$ranks ranks of $dtype agree with plain sums and concatenations, over $transport",
    async ({ ranks, dtype, transport }) => {
      const { choice } = (await testGpu()).report;
      const cases = casesOn(ranks);
      const all = drafts(ranks);
      for (const [channel, one] of cases.entries()) {
        for (const draft of all) addCase(draft, one, channel, dtype);
      }
      const program = programOf(all, dtype);
      const pool = await openRanks(
        program,
        all.map(() => choice),
        { transport },
      );
      try {
        await pool.step();
        // The second round goes through mailboxes that were used before.
        const observations = await pool.observe();
        for (const one of cases) {
          for (const [j, rank] of one.to.entries()) {
            const actual = shown(observations, rank, one.layer, dtype);
            const wanted = expected(one, j, dtype);
            // Sums of up to four values below 1 in magnitude, rounded to storage.
            const tolerance = dtype === "f16" ? 2 ** -9 : 2 ** -21;
            const exact = one.op !== "all-reduce" && one.op !== "reduce-scatter";
            const worst = wanted.map((value, e) => Math.abs(value - (actual[e] ?? Number.NaN)));
            expect(Math.max(0, ...worst), `${one.layer} on rank ${rank}`).toBeLessThanOrEqual(
              exact ? 0 : tolerance,
            );
          }
        }
      } finally {
        await pool.close();
      }
    },
  );

  test("a collective that moves a part of a word is refused by name", async () => {
    const { choice } = (await testGpu()).report;
    const all = drafts(2);
    const odd: Case = {
      layer: "gather of 3 halves",
      op: "all-gather",
      from: [0, 1],
      to: [0, 1],
      count: () => 3,
    };
    for (const draft of all) addCase(draft, odd, 0, "f16");
    const pool = await openRanks(programOf(all, "f16"), [choice, choice]);
    try {
      await expect(pool.step()).rejects.toThrow(
        "gather of 3 halves: a piece of 6 bytes; GPU copies need multiples of 4",
      );
    } finally {
      await pool.close();
    }
  });
});
