import { expect, test } from "vitest";
import { repairPlan } from "../../../src/check/repair.ts";
import { parsePlan } from "../../../src/plan/load.ts";
import { errorsOf, found, withDegrees } from "../../plan/checked.ts";

const code = "shard-splits-quantization-block";
function dense(model: Record<string, unknown>, tensor = 2) {
  return withDegrees({
    hardware: { gpus: tensor },
    model: { hidden: 512, heads: 8, ffn: 512, moe: undefined, ...model },
    parallel: { tensor, expert: 1 },
  });
}

test("control: shards of whole blocks raise nothing, nor does a weight without blocks", () => {
  expect(errorsOf(dense({ quantizationBlock: { input: 128, output: 128 } }))).toEqual([]);
  expect(errorsOf(dense({ ffn: 384 }))).toEqual([]);
});

test.each([
  ["input", { input: 128 }],
  ["output", { output: 128 }],
])("a shard of the inner width that splits a block along the %s is refused", (_side, block) => {
  const plan = dense({ ffn: 384, quantizationBlock: block });
  expect(errorsOf(plan)).toEqual([code]);
  expect(found(plan, code)).toMatchObject({
    path: ["model", "ffn"],
    message: "ffn 384 / 2 = 192 is no multiple of the quantization block of 128",
  });
});

test("one GPU holds whole weights, whatever the blocks", () => {
  expect(errorsOf(dense({ ffn: 384, quantizationBlock: { input: 256 } }, 1))).toEqual([]);
});

function sliced(parallel: Record<string, unknown>) {
  return withDegrees({
    hardware: { gpus: 8 },
    model: {
      hidden: 1024,
      heads: 16,
      headDim: 64,
      moe: { experts: 16, topK: 2, ffn: 1536 },
      quantizationBlock: { input: 128, output: 128 },
    },
    parallel,
  });
}

test("slices of experts are shards too; whole experts are not", () => {
  expect(found(sliced({ tensor: 8, expert: 1 }), code)?.path).toEqual(["model", "moe", "ffn"]);
  expect(errorsOf(sliced({ tensor: 8, expert: 8 }))).toEqual([]);
  expect(errorsOf(sliced({ tensor: 4, data: 2, expert: 1 }))).toEqual([]);
});

test("the repair holds whole experts, or takes a smaller degree", () => {
  const text = JSON.stringify(sliced({ tensor: 8, expert: 1 }));
  const repaired = repairPlan(parsePlan(text, "plan.json").document);
  expect(repaired?.plan.degrees?.expert).toBe(8);
  const others = repaired?.alternatives.map(({ description }) => description);
  expect(others).toContain("parallel.tensor is now 4");
});
