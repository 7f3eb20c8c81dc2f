import { expect, test } from "vitest";
import { errorsOf, found, stages, withDegrees } from "../../plan/checked.ts";

function moe(experts: number, topK = 1) {
  return stages(3, [
    [
      {
        op: "moe",
        hidden: 8,
        ffn: 8,
        experts,
        topK,
        parallel: { kind: "expert", gpus: [0, 1, 2], tokenGpus: [0, 1] },
      },
    ],
  ]);
}

test("63 experts over 3 GPUs are balanced", () => {
  expect(errorsOf(moe(63))).toEqual([]);
  expect(found(moe(63), "experts-balanced")?.message).toBe(
    "63 experts over 3 GPUs: 21 per GPU, variance 0",
  );
});

test.each([62, 64])("%i experts, next to the legal 63, are refused", (experts) => {
  expect(errorsOf(moe(experts))).toEqual(["experts-not-divisible"]);
});

test.each([
  [23, ["experts-not-divisible"]],
  [24, []],
  [25, ["experts-not-divisible"]],
])("40 experts with %i copies over 64 expert ranks", (redundantExperts, codes) => {
  const written = withDegrees({
    hardware: { gpus: 64 },
    workload: { batch: 64 },
    model: { moe: { experts: 40, redundantExperts } },
    parallel: { tensor: 1, data: 64, expert: 64 },
  });
  expect(errorsOf(written).toSorted()).toEqual(codes);
});

test("the refusal tells how uneven it would be, and the numbers that work", () => {
  expect(found(moe(64), "experts-not-divisible")).toMatchObject({
    message: expect.stringContaining("leave 1 over on 3 GPUs: 22, 21, 21 (variance 0.222)"),
    hint: "use 63 or 66 experts, or another number of GPUs",
  });
});

test("a token goes to as many experts as there are, at most", () => {
  expect(errorsOf(moe(3, 3))).toEqual([]);
  expect(errorsOf(moe(3, 4))).toEqual(["top-k-over-experts"]);
});

test.each([
  [1, []],
  [2, []],
  [3, ["expert-degree-does-not-fit-ranks"]],
  [4, []],
])("expert parallelism of %i formed from 4 ranks", (expert, codes) => {
  const plan = withDegrees({
    hardware: { gpus: 4 },
    model: { moe: { experts: 12 } },
    parallel: { tensor: 2, data: 2, expert },
  });
  expect(errorsOf(plan)).toEqual(codes);
});

function namedExperts(expertGroup?: number[]) {
  return withDegrees({ hardware: { gpus: 3 }, parallel: { tensor: 2, expert: 3, expertGroup } });
}

test("expert parallelism beyond the ranks needs named GPUs, exactly as many", () => {
  expect(errorsOf(namedExperts())).toContain("expert-degree-does-not-fit-ranks");
  expect(errorsOf(namedExperts([0, 1, 2]))).toEqual([]);
  expect(errorsOf(namedExperts([0, 1]))).toEqual(["expert-degree-does-not-match-group"]);
});

function dense(expert: number) {
  return withDegrees({ model: { moe: undefined }, parallel: { tensor: 2, expert } });
}

test("expert parallelism needs experts", () => {
  expect(errorsOf(dense(1))).toEqual([]);
  expect(errorsOf(dense(2))).toEqual(["expert-degree-without-experts"]);
});

test.each([
  ["in their groups", [0, 1], []],
  ["on a GPU of none", [0, 2], ["tokens-without-experts"]],
])("tokens of a layer with two expert groups %s", (_where, tokenGpus, expected) => {
  const parallel = { kind: "expert", gpus: [[0], [1]], tokenGpus };
  const plan = stages(3, [[{ op: "moe", hidden: 8, ffn: 8, experts: 2, parallel }]]);
  expect(errorsOf(plan)).toEqual(expected);
});
