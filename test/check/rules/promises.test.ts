import { expect, test } from "vitest";
import {
  errorsOf,
  found,
  infosOf,
  linear,
  stages,
  warningsOf,
  withDegrees,
} from "../../plan/checked.ts";

function withMemory(memoryPerGpu: unknown) {
  const plan = stages(1, [[linear(1024, 1024, { kind: "replicated", gpus: [0] })]]);
  return Object.assign({}, plan, { hardware: { gpus: 1, memoryPerGpu } });
}

test("memory below 1 GiB is not realistic", () => {
  expect(warningsOf(withMemory("1GiB"))).toEqual([]);
  expect(warningsOf(withMemory(2 ** 30 - 1))).toEqual(["memory-unrealistic"]);
  expect(found(withMemory("16MiB"), "memory-unrealistic")).toMatchObject({
    message: expect.stringContaining("16 MiB"),
    hint: expect.stringContaining("8–32 GiB"),
  });
});

function claiming(claims: Record<string, unknown>) {
  return withDegrees({ hardware: { memoryPerGpu: "64GB" }, workload: { sequence: 1024 }, claims });
}

test.each(["gpuUtilization", "computeUtilization"])("%s above 85 %% is optimistic", (key) => {
  expect(warningsOf(claiming({ [key]: 0.85 }))).toEqual([]);
  expect(infosOf(claiming({ [key]: 0.85 }))).toContain("utilization-claim-plausible");
  expect(warningsOf(claiming({ [key]: 0.86 }))).toEqual(["utilization-claim-optimistic"]);
  expect(found(claiming({ [key]: 0.95 }), "utilization-claim-optimistic")?.hint).toContain(
    "70–85 %",
  );
});

test("memory claims leave headroom", () => {
  const code = "memory-claim-without-headroom";
  expect(warningsOf(claiming({ memoryUtilization: 0.9 }))).not.toContain(code);
  expect(warningsOf(claiming({ memoryUtilization: 0.91 }))).toContain(code);
  expect(
    found(claiming({ memoryUtilization: 0.661 }), "memory-claim-leaves-headroom")?.message,
  ).toBe("66.1 % of memory in use: 21.7 GB are left");
});

test("optimizations are known, or the nearest known one is suggested", () => {
  expect(warningsOf(withDegrees({ optimizations: ["fused-attention"] }))).toEqual([]);
  const typing = withDegrees({ optimizations: ["fused-atention"] });
  expect(warningsOf(typing)).toEqual(["optimization-unknown"]);
  expect(found(typing, "optimization-unknown")?.hint).toBe('did you mean "fused-attention"?');
});

test("optimizations have something to act on", () => {
  const optimizations = ["mixed-precision", "gradient-accumulation"];
  const f32 = withDegrees({ optimizations });
  expect(warningsOf(f32)).toEqual(["optimization-contradicts-dtype"]);
  expect(infosOf(f32)).toContain("optimization-without-effect");
  const f16 = withDegrees({ optimizations, workload: { dtype: "f16" } });
  expect(warningsOf(f16)).toEqual([]);
});

test("what is marked as assumed is there", () => {
  expect(warningsOf(withDegrees({ assumed: ["model.hidden", "model.moe.topK"] }))).toEqual([]);
  expect(errorsOf(withDegrees({ assumed: ["model.hiden"] }))).toEqual(["assumed-value-missing"]);
});

test("a training plan is told that only its forward pass is run", () => {
  expect(warningsOf(withDegrees({ workload: { mode: "inference" } }))).toEqual([]);
  expect(warningsOf(withDegrees({ workload: { mode: "training" } }))).toEqual([
    "training-runs-forward-only",
  ]);
});
