import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { widthOf } from "../../src/report/render/text_width.ts";
import { writeResult } from "../../src/result/result_file.ts";
import { planOf } from "../support/given.ts";
import { ceilingsWith } from "../support/ceilings.ts";
import { runOf, swiftshader } from "../support/made_up_run.ts";
import { fileWith, shardbench } from "./shardbench.ts";

const pipeline = "configs/three-stage-pipeline.json";
const original = "configs/moe-ep3-tp2.original.json";

test("estimate: figures without a run; the bound needs a peak", async () => {
  const without = await shardbench(["estimate", pipeline]);
  expect(without.code).toBe(0);
  expect(without.stdout).toContain("Every figure is estimated");
  expect(without.stdout).toContain("give --peak-flops");
  const { stdout } = await shardbench(["estimate", pipeline, "--peak-flops", "20GFLOPS"]);
  expect(stdout).toMatch(/^ {2}step +≥ [\d.]+ ms$/m);
  expect(stdout.split("\n").filter((line) => widthOf(line) > 80)).toEqual([]);
});

test("estimate --json: provenance, parameters, ranks, kernels, collectives, bound", async () => {
  const peaks = ["--peak-flops", "1e10", "--bandwidth", "1GB/s", "--link-bandwidth", "2GB/s"];
  const { stdout } = await shardbench(["estimate", pipeline, "--json", ...peaks]);
  expect(JSON.parse(stdout)).toMatchObject({
    plan: "three-stage-pipeline",
    provenance: "estimated",
    parameters: { total: 4096 * 1024 + 1024 * 1024, source: "program" },
    ranks: [{ rank: 0 }, { rank: 1 }, { rank: 2 }],
    collectives: [{ name: "embed_to_expert" }, { name: "expert_to_agg" }],
    bound: { peaks: { flops: 1e10, bandwidth: 1e9, linkBandwidth: 2e9 } },
  });
});

test.each(["0", "-1GFLOPS", "fast", ""])("estimate refuses %j as a peak", async (rate) => {
  const { code, stderr } = await shardbench(["estimate", pipeline, `--peak-flops=${rate}`]);
  expect(code).toBe(64);
  expect(stderr).toContain("67TFLOPS");
});

test("estimate takes the calibration of an earlier run, of several adapters the fastest", async () => {
  const file = await fileWith("result.json", "");
  const calibration = [
    { ...swiftshader, adapter: "a", ceilings: ceilingsWith({ f32: 1e9, copy: 4e9 }) },
    { ...swiftshader, adapter: "b", ceilings: ceilingsWith({ f32: 3e9, read: 1e9, copy: 2e9 }) },
  ];
  await writeResult(file, { ...runOf(await planOf("three-stage-pipeline.json")), calibration });
  const args = ["estimate", pipeline, "--result", file, "--json"];
  const peaksOf = (stdout: string): unknown => JSON.parse(stdout).bound.peaks;
  expect(peaksOf((await shardbench(args)).stdout)).toEqual({ flops: 3e9, bandwidth: 4e9 });
  const { stdout } = await shardbench([...args, "--bandwidth", "1GB/s"]);
  expect(peaksOf(stdout)).toEqual({ flops: 3e9, bandwidth: 1e9 });
});

test.each(["estimate", "describe"])(
  "%s refuses a plan that contradicts itself",
  async (command) => {
    const { code, stderr, stdout } = await shardbench([command, original]);
    expect(code).toBe(1);
    expect(stderr).toContain("tensor-degree-does-not-match-group");
    expect(stdout).toBe("");
  },
);

test.each(["estimate", "describe"])(
  "%s takes a plan that no layer here can run",
  async (command) => {
    const file = await fileWith(
      "rotary.yaml",
      `
name: rotary
hardware: { gpus: 1 }
workload: { batch: 1, sequence: 4 }
model: { layers: 1, hidden: 16, heads: 4, positions: { kind: rotary } }
`,
    );
    const { code, stdout } = await shardbench([command, file]);
    expect(code).toBe(0);
    expect(stdout).toContain("attention");
  },
);

test("describe: a picture in a pipe has no color, and with --ascii no sign beyond ASCII", async () => {
  const { stdout } = await shardbench(["describe", pipeline, "--ascii"]);
  expect(stdout).toMatch(/^[\n\x20-\x7e]*$/);
  expect(stdout).toContain("+-----------------+");
  expect(stdout).toContain("heavy 50.0 %");
});

test("describe --json: load, stages and collectives", async () => {
  const { stdout } = await shardbench(["describe", pipeline, "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    provenance: "estimated",
    load: [{ label: "light" }, { label: "heavy" }, { label: "medium" }],
    stages: [{ name: "embedding" }, { name: "expert" }, { name: "aggregation" }],
    collectives: [{ op: "all-gather" }, { op: "all-reduce" }],
  });
});

test("describe --report -o keeps a file that exists, unless told to overwrite it", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "shardbench-report-")), "analysis.md");
  const args = ["describe", original, "--report", "-o", file];
  const first = await shardbench(args);
  expect(first.code).toBe(0);
  expect(first.stdout).toBe("");
  expect(await readFile(file, "utf8")).toMatch(
    /^# Parallel Strategy Analysis Report: moe-ep3-tp2\n/,
  );
  await writeFile(file, "mine");
  const second = await shardbench(args);
  expect(second.code).toBe(2);
  expect(await readFile(file, "utf8")).toBe("mine");
  expect((await shardbench([...args, "--write"])).code).toBe(0);
});

test("check --sarif: errors at their lines, and the exit code of check", async () => {
  const { code, stdout } = await shardbench(["check", original, "--sarif"]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "shardbench" } },
        results: expect.arrayContaining([
          expect.objectContaining({
            ruleId: "tensor-degree-does-not-match-group",
            level: "error",
            locations: [
              {
                physicalLocation: {
                  artifactLocation: { uri: original },
                  region: { startLine: 25, startColumn: 35 },
                },
              },
            ],
          }),
        ]),
      },
    ],
  });
});

test("a GPU by name: its datasheet's figures with their source, and the bound that they give", async () => {
  const plan = await fileWith(
    "plan.yaml",
    "name: named\nhardware: { gpus: 1, gpu: RTX 4090, memoryPerGpu: 20GB }\n" +
      "workload: { batch: 2, sequence: 8 }\nmodel: { layers: 1, hidden: 32, heads: 4 }\n",
  );
  const { stdout } = await shardbench(["describe", plan]);
  expect(stdout).toMatch(/^1 × RTX-4090, each +said by$/m);
  expect(stdout).toMatch(/^memory +20 GB +plan$/m);
  expect(stdout).toMatch(/^peak of f32 +82.6 TFLOP\/s +NVIDIA Ada architecture white paper$/m);
  expect(stdout.split("\n").filter((line) => widthOf(line) > 80)).toEqual([]);
  expect(
    JSON.parse((await shardbench(["describe", plan, "--json"])).stdout).hardware,
  ).toMatchObject({
    gpu: "RTX-4090",
    memoryPerGpu: 20e9,
    sources: { memoryPerGpu: "plan", peakFlops: "NVIDIA Ada architecture white paper" },
  });
  const bound = await shardbench(["estimate", plan]);
  expect(bound.stdout).toContain("of RTX-4090 (NVIDIA Ada architecture white paper)");
  const { peaks } = JSON.parse((await shardbench(["estimate", plan, "--json"])).stdout).bound;
  expect(peaks).toEqual({ flops: 82.6e12, bandwidth: 1.008e12, linkBandwidth: 32e9 });
});
