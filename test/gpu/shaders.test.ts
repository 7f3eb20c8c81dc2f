import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileModule } from "../../src/gpu/dispatch.ts";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import { openGpu } from "../../src/gpu/open.ts";
import { loadShader } from "../../src/gpu/shader_source.ts";

// Dawn's null backend has every feature, so that native f16 is compiled on every machine.
let gpu: LogicalGpu;
beforeAll(async () => {
  const choice = {
    id: "null",
    name: "null",
    software: true,
    loader: "system",
    ordinal: 0,
  } as const;
  gpu = await openGpu(choice, { backend: "null" });
});
afterAll(() => gpu.close());

const names = readdirSync(new URL("../../shaders/", import.meta.url), { recursive: true })
  .map((file) => String(file).replaceAll("\\", "/"))
  // Those of kernels are compiled with the preludes and constants of their variants by their own tests.
  .filter((file) => file.startsWith("calibration") && file.endsWith(".wgsl"))
  .map((file) => file.slice(0, -".wgsl".length))
  // Its definitions are generated; its own suite compiles it.
  .filter((name) => name !== "calibration/multiply_matrices")
  .toSorted();

test("there are shaders to compile", () => {
  expect(names).toContain("calibration/copy");
});

const preludes = ["storage/f32", "storage/f16_packed", "storage/f16_native"];

test.each(names.flatMap((name) => preludes.map((prelude) => [name, prelude] as const)))(
  "%s compiles with %s",
  async (name, prelude) => {
    const module = compileModule(gpu.device, await loadShader(name, prelude));
    await expect(module).resolves.toBeDefined();
    gpu.check();
  },
);

test("directives of a shader move before its preludes without moving its lines", async () => {
  const source = await loadShader("calibration/copy", "storage/f16_native");
  const lines = source.code.split("\n");
  expect(lines[0]).toBe("enable f16;");
  const [prelude, own] = source.parts;
  expect(lines[prelude?.linesBefore ?? -1]).toBe("");
  expect(lines[own?.linesBefore ?? -1]).toMatch(/^\/\/ copy:/);
});
