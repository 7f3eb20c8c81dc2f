import { expect, test } from "vitest";
import { errorsOf, warningsOf, withDegrees } from "../../plan/checked.ts";

function sharded(parallel: object, more: object = {}) {
  return withDegrees({
    hardware: { gpus: 24 },
    workload: { batch: 24, mode: "training" },
    parallel: { tensor: 2, expert: 2, data: 12, zero: 3, ...parallel },
    ...more,
  });
}

test.each([
  [3, []],
  [4, []],
  [5, ["data-shard-does-not-divide-data"]],
  [12, []],
  [24, ["data-shard-does-not-divide-data"]],
])("groups of %i of 12 data ranks", (dataShard, codes) => {
  expect(errorsOf(sharded({ dataShard }))).toEqual(codes);
});

test.each([
  [{ zero: 1 }, []],
  [{ zero: 0 }, ["data-shard-needs-zero"]],
  [{ zero: undefined }, ["data-shard-needs-zero"]],
])("groups of ranks share what %j shards", (parallel, codes) => {
  expect(errorsOf(sharded({ dataShard: 4, ...parallel }))).toEqual(codes);
});

test.each([
  [6, []],
  [4, ["data-shard-splits-expert-groups"]],
  [3, []],
])("groups of %i data ranks with experts over 6 ranks", (dataShard, codes) => {
  expect(errorsOf(sharded({ dataShard, expert: 6 }, { model: { moe: { experts: 6 } } }))).toEqual(
    codes,
  );
});

test.each([
  [{ zero: 3, pipeline: 2 }, true],
  [{ zero: 1, pipeline: 2 }, false],
  [{ zero: 3, pipeline: 1 }, false],
])("a tied table with %j: said to be whole: %s", (parallel, isSaid) => {
  const plan = withDegrees({
    hardware: { gpus: 2 * parallel.pipeline },
    workload: { batch: 4, mode: "training", optimizer: { name: "adamw" } },
    model: { tiedEmbeddings: true, vocabulary: 64 },
    parallel: { data: 2, ...parallel },
  });
  expect(warningsOf(plan).includes("checked-but-not-run")).toBe(isSaid);
});

test.each([
  [4, { zero: 1, expert: 4 }, true],
  [4, { zero: 3, expert: 2 }, true],
  [8, { zero: 3, expert: 2 }, false],
  [4, { zero: 3, expert: 4, dataShard: 4 }, false],
  [4, { zero: 0, expert: 4 }, false],
])("%i experts, %j: said that replicas have none: %s", (experts, parallel, isSaid) => {
  const plan = withDegrees({
    hardware: { gpus: 8 },
    workload: { batch: 8, mode: "training", optimizer: { name: "adamw" } },
    model: { moe: { experts, topK: 1, ffn: 8 } },
    parallel: { tensor: 1, pipeline: 1, data: 8, ...parallel },
  });
  expect(warningsOf(plan).includes("checked-but-not-run")).toBe(isSaid);
});
