import { expect, test } from "vitest";
import { fileWith, shardbench } from "./shardbench.ts";

const plan = `
name: one
hardware: { gpus: 1 }
workload: { batch: 4 }
stages:
  - name: a
    layers: [{ op: linear, in: 16, out: 12, parallel: { kind: column, gpus: [0] } }]
`;

test("ceilings are printed in 80 columns, and a run takes them up or says why not", async () => {
  const planFile = await fileWith("plan.yaml", plan);
  const cache = { XDG_CACHE_HOME: planFile.replace("plan.yaml", "cache") };
  const { code, stdout, stderr } = await shardbench(
    ["calibrate", "--adapter", "swiftshader"],
    cache,
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^multiply-add f32 +[\d.]+ GFLOP\/s/m);
  expect(stdout).not.toContain("multiply-add f16");
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);

  const result = planFile.replace("plan.yaml", "result.json");
  const run = await shardbench(
    ["run", planFile, "--adapter", "swiftshader", "--samples", "5", "--full", "-o", result],
    cache,
  );
  expect(run.stdout.replace(/\s+/g, " ")).toMatch(
    /peaks of swiftshader, (kept from \S+Z; now|measured in this run)/,
  );
});

test("an adapter that is not there is named", async () => {
  const { code, stderr } = await shardbench(["calibrate", "--adapter", "gpu7"]);
  expect(code).toBe(2);
  expect(stderr).toContain('no adapter is called "gpu7"');
});
