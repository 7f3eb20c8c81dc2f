import { expect, test } from "vitest";
import { readPlan } from "../../../src/plan/load.ts";
import { checkPlan } from "../../../src/check/check_plan.ts";
import { errorsOf, found, infosOf, stagesPlan, withDegrees } from "../../plan/checked.ts";

function grouped(tensorGroup: number[], more: Record<string, unknown> = {}) {
  return withDegrees({
    hardware: { gpus: 4 },
    parallel: { tensor: 2, expert: 2, tensorGroup },
    ...more,
  });
}

test("a tensor group has exactly as many GPUs as its degree", () => {
  expect(errorsOf(grouped([0, 1]))).toEqual([]);
  expect(infosOf(grouped([0, 1]))).toContain("tensor-group-matches-degree");
  expect(errorsOf(grouped([0, 1, 2]))).toEqual(["tensor-degree-does-not-match-group"]);
  expect(errorsOf(grouped([0]))).toEqual(["tensor-degree-does-not-match-group"]);
});

function hintFor(tensorGroup: number[]) {
  return found(grouped(tensorGroup), "tensor-degree-does-not-match-group")?.hint;
}

test("the refusal names the alternatives that work", () => {
  expect(hintFor([0, 1, 2])).toBe(
    "keep tensor 2 and list GPUs 0, 1; or tensor 3 is no way out, it does not divide the model's sizes",
  );
  expect(hintFor([3, 1, 2, 0])).toBe("keep tensor 2 and list GPUs 3, 1; or set tensor to 4");
});

test("a distribution over three GPUs for tensor parallelism of 2 is refused where it stands", async () => {
  const { plan, document } = await readPlan("configs/moe-ep3-tp2.original.json");
  if (plan === undefined) throw new Error("the plan must load");
  const errors = checkPlan(plan, document).filter(({ severity }) => severity === "error");
  expect(errors.map(({ code }) => code)).toEqual([
    "tensor-degree-does-not-match-group",
    "tensor-shard-missing",
    "tensor-shard-missing",
  ]);
  expect(errors[0]?.message).toBe(
    "tensor parallelism of 2 needs exactly 2 GPUs, but 3 are listed: 0, 1, 2",
  );
  expect(errors[0]?.position).toMatchObject({ line: 25 });
});

function distributed(distribution: Record<string, unknown>, parallel = {}) {
  return withDegrees({
    hardware: { gpus: 2 },
    parallel: { tensor: 2, expert: 2, ...parallel },
    tensor_parallel_distribution: distribution,
  });
}
const perGpu = { gpu_0: ["mlp_fc1_0"], gpu_1: ["mlp_fc1_1"] };

test("a distribution names GPUs, in one form, with every shard", () => {
  expect(errorsOf(distributed(perGpu))).toEqual([]);
  expect(errorsOf(distributed({ gpu_0_gpu_1: { mlp_layers: ["fc1_0", "fc1_1"] } }))).toEqual([]);
  expect(errorsOf(distributed({ ...perGpu, device_2: [] }))).toEqual([
    "distribution-key-names-no-gpu",
  ]);
  expect(errorsOf(distributed({ ...perGpu, gpu_1: { mlp: ["fc1_1"] } }))).toContain(
    "distribution-forms-mixed",
  );
  expect(errorsOf(distributed({ ...perGpu, gpu_1: [] }))).toEqual(["tensor-shard-missing"]);
});

test("tensorGroup and distribution name the same GPUs", () => {
  expect(errorsOf(distributed(perGpu, { tensorGroup: [0, 1] }))).toEqual([]);
  expect(errorsOf(distributed(perGpu, { tensorGroup: [1, 0] }))).toEqual([
    "tensor-group-contradicts-distribution",
  ]);
});

test("groups are named where there is one mesh of them", () => {
  const parallel = { tensor: 2, expert: 2, data: 2, tensorGroup: [0, 1], expertGroup: [0, 1] };
  expect(errorsOf(withDegrees({ hardware: { gpus: 4 }, parallel }))).toEqual([
    "named-group-needs-one-mesh",
    "named-group-needs-one-mesh",
  ]);
});

test("a distribution beside explicit stages is refused", () => {
  expect(errorsOf({ ...stagesPlan, tensor_parallel_distribution: { gpu_0: [] } })).toEqual([
    "distribution-without-degrees",
  ]);
});
