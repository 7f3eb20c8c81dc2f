import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parsePlan } from "../../src/plan/load.ts";
import { repairPlan } from "../../src/check/repair.ts";
import { errorsOf, found, linear, stages, withDegrees, withStages } from "./checked.ts";

function load(plan: unknown) {
  return parsePlan(JSON.stringify(plan), "plan.json").plan;
}
function on(gpus: unknown) {
  return stages(2, [[linear(8, 8, { kind: "column", splitDim: 1, gpus })]]);
}
function groupsOf(plan: unknown) {
  return load(plan)?.stages[0]?.layers[0]?.groups;
}

test.each([
  [0, 1],
  ["0", "1"],
  ["gpu_0", "gpu_1"],
  ["gpu0", "gpu1"],
  ["GPU 0", "GPU-1"],
  ["cuda:0", "cuda:1"],
  ["gpu_0", 1],
  [" gpu_00 ", "gpu_01"],
])("%j and %j name GPUs 0 and 1", (first, second) => {
  expect(groupsOf(on([first, second]))).toEqual([[0, 1]]);
  expect(errorsOf(on([first, second]))).toEqual([]);
});

test("GPUs are named so wherever their ids stand", () => {
  expect(groupsOf(on([["gpu_0"], ["gpu_1"]]))).toEqual([[0], [1]]);
  const named = withDegrees({
    parallel: { tensorGroup: ["gpu_1", "0"], expertGroup: ["gpu_0", 1] },
  });
  expect(groupsOf(named)).toEqual([[1, 0]]);
  expect(errorsOf(named)).toEqual([]);
  const communications = [
    { name: "ab", op: "all-gather", from: ["gpu_0", "gpu_1"], to: [1, "cuda:2"] },
    { name: "bc", op: "all-reduce", from: ["GPU 2", "1"], to: ["gpu_2"] },
  ];
  const explicit = withStages({ communications });
  expect(load(explicit)?.communications).toMatchObject([
    { from: [0, 1], to: [1, 2] },
    { from: [2, 1], to: [2] },
  ]);
  expect(errorsOf(explicit)).toEqual([]);
  const experts = {
    op: "moe",
    hidden: 8,
    ffn: 8,
    experts: 2,
    parallel: { kind: "expert", gpus: ["gpu_0", "gpu_1"], tokenGpus: ["gpu_1"] },
  };
  expect(load(stages(2, [[experts]]))?.stages[0]?.layers[0]).toMatchObject({
    groups: [[1]],
    expertGroups: [[[0], [1]]],
  });
});

test.each([
  [["gpu_0", "gpu_x"], "gpus.1", '"gpu_x"'],
  [["gpu_0_gpu_1"], "gpus.0", '"gpu_0_gpu_1"'],
  [["node1:gpu0"], "gpus.0", '"node1:gpu0"'],
  [[0, ""], "gpus.1", '""'],
  [[0, "-1"], "gpus.1", '"-1"'],
  [[0, "1.5"], "gpus.1", '"1.5"'],
  [[0, 1.5], "gpus.1", "1.5"],
  [[0, null], "gpus.1", "null"],
  [[["gpu_0"], ["x"]], "gpus.1.0", '"x"'],
])("%j is refused where the fault is", (gpus, place, shown) => {
  const plan = on(gpus);
  expect(errorsOf(plan)).toEqual(["wrong-type"]);
  const { path, message } = found(plan, "wrong-type") ?? {};
  expect(path?.join(".")).toBe(`stages.0.layers.0.parallel.${place}`);
  expect(message).toContain(`must be a GPU id such as 0, "gpu_0" or "cuda:0", found ${shown}`);
});

test("what is no list at all is said to be none", () => {
  expect(found(on("gpu_0"), "wrong-type")?.message).toContain("must be a list of GPU ids");
  expect(found(on([]), "out-of-range")?.message).toContain("found an empty list");
});

test("ids beyond those that exist, or named twice, are faults however they are spelt", () => {
  expect(errorsOf(on(["gpu_0", "gpu_2"]))).toEqual(["gpu-not-available"]);
  expect(errorsOf(on(["gpu_1", 1]))).toContain("gpu-listed-twice");
  expect(errorsOf(on(["gpu_0", "gpu_9999999999"]))).toEqual(["out-of-range"]);
});

test("a repair keeps the names that it need not change", () => {
  const text = [
    "name: named",
    "hardware: { gpus: 2 }",
    "workload: { batch: 4 }",
    "stages:",
    "  - name: a",
    "    layers:",
    "      - op: linear",
    "        in: 8",
    "        out: 8",
    "        parallel: { kind: column, splitDim: 0, gpus: [gpu_0, gpu_1] }",
  ].join("\n");
  const repaired = repairPlan(parsePlan(text, "plan.yaml").document);
  expect(repaired?.text).toContain("gpus: [gpu_0, gpu_1]");
  expect(repaired?.plan.stages[0]?.layers[0]).toMatchObject({ groups: [[0, 1]] });
});

test("the JSON Schema takes them too", async () => {
  const schema = await readFile("configs/plan.schema.json", "utf8");
  const pattern = /"pattern": (".*\[Gg\].*")/.exec(schema)?.[1] ?? '""';
  const names = new RegExp(String(JSON.parse(pattern)));
  expect(["gpu_0", "GPU 1", "cuda:2", "3"].every((name) => names.test(name))).toBe(true);
  expect(["gpu_", "gpu_x", "-1", ""].some((name) => names.test(name))).toBe(false);
});
