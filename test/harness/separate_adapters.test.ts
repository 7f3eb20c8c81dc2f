// The order and number of rounds, on GPUs that are made up.

import { expect, test } from "vitest";
import { lookAlikes, testSeparation } from "../../src/harness/separate_adapters.ts";
import { areSeparate } from "../../src/measure/separation.ts";
import { busyRanks } from "../support/busy_ranks.ts";

/** Rank i is on the GPU of that number; work on one GPU is shared out evenly. */
function poolOn(gpus: readonly number[]) {
  let rounds = 0;
  let nowMs = 0;
  return {
    rounds: () => rounds,
    ...busyRanks((together) => {
      rounds += 1;
      nowMs += 1000;
      return together.map(({ rank, dispatches }) => {
        const beside = together.filter((other) => gpus[other.rank] === gpus[rank]).length;
        return { startMs: nowMs, endMs: nowMs + dispatches * beside };
      });
    }),
  };
}

function candidates(count: number) {
  return Array.from({ length: count }, (_, rank) => ({ id: `gpu${rank}`, rank }));
}

async function pairsApart(gpus: readonly number[]) {
  const pool = poolOn(gpus);
  const tested = await testSeparation(pool, candidates(gpus.length));
  const apart = gpus.flatMap((_, a) =>
    gpus.flatMap((__, b) =>
      a < b && areSeparate(tested, `gpu${a}`, `gpu${b}`) ? [`${a}${b}`] : [],
    ),
  );
  return { apart, rounds: pool.rounds() };
}

test("two GPUs of their own are told apart, one GPU is not", async () => {
  expect((await pairsApart([0, 1])).apart).toEqual(["01"]);
  expect((await pairsApart([0, 0])).apart).toEqual([]);
});

test("all at once tells eight GPUs apart, without a pair by itself", async () => {
  const { apart, rounds } = await pairsApart([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(apart).toHaveLength(28);
  expect(rounds).toBe(4 * 8 + 3);
});

test("pairs find out what all at once could not: only those on one GPU stay together", async () => {
  const { apart } = await pairsApart([0, 0, 1, 2]);
  expect(apart).toEqual(["02", "03", "12", "13", "23"]);
});

test("the number of pairs is bounded, and what was not tried counts as shared", async () => {
  const { apart, rounds } = await pairsApart(Array.from({ length: 12 }, () => 0));
  expect(apart).toEqual([]);
  expect(rounds).toBe(4 * 12 + 3 + 28);
});

test("one rank speaks for an adapter, and only adapters that look alike are tested", () => {
  const kind = (id: string, vendor: string) => ({ id, vendor, software: false, architecture: "" });
  expect(
    lookAlikes([
      kind("gpu0", "amd"),
      kind("gpu1", "nvidia"),
      kind("gpu2", "amd"),
      kind("gpu0", "amd"),
    ]),
  ).toEqual([
    { id: "gpu0", rank: 0 },
    { id: "gpu2", rank: 2 },
  ]);
});
