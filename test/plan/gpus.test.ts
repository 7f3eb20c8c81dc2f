import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { assumedAmong } from "../../src/plan/assumed.ts";
import { gpusPage } from "../../src/check/explain/gpus_page.ts";
import { gpuNamed } from "../../src/plan/gpu_names.ts";
import { gpus } from "../../src/plan/gpus.ts";
import { parsePlan } from "../../src/plan/load.ts";
import type { Hardware, Plan } from "../../src/plan/plan.ts";
import { repairPlan } from "../../src/check/repair.ts";
import { errorsOf, found, withDegrees } from "./checked.ts";

function nameOf(written: string): string {
  const named = gpuNamed(written);
  return "gpu" in named ? named.gpu.name : "none alone";
}

function spellings(name: string): readonly string[] {
  return [name, name.toLowerCase().replaceAll("-", " "), name.replaceAll("-", "_").toUpperCase()];
}

test("at least 40 GPUs, each of which its own name and no other means", () => {
  expect(gpus.length).toBeGreaterThanOrEqual(40);
  expect(gpus.flatMap(({ name }) => spellings(name)).map(nameOf)).toEqual(
    gpus.flatMap(({ name }) => [name, name, name]),
  );
});

/** Whether `value` ÷ `of` is within the bounds; also where one of them is absent. */
function isWithin(
  value: number | undefined,
  of: number | undefined,
  least: number,
  most: number,
): boolean {
  return value === undefined || of === undefined || (value / of >= least && value / of <= most);
}

test("peaks are without sparsity: a dtype of half the width is twice as fast at most", () => {
  const odd = gpus.filter(
    ({ teraflops: { f32, tf32, f16, fp8 } = {} }) =>
      !isWithin(tf32, f32, 1, 16) ||
      !isWithin(f16, tf32, 1.95, 2.1) ||
      !isWithin(f16, f32, 1.9, 32) ||
      !isWithin(fp8, f16, 1, 2.03),
  );
  expect(odd.map(({ name }) => name)).toEqual([]);
});

test.each([
  ["H100-SXM", { f32: 66.9, tf32: 494.7, f16: 989.4, fp8: 1978.9 }, 80, 3350, 450],
  ["A100-SXM-80GB", { f32: 19.5, tf32: 156, f16: 312 }, 80, 2039, 300],
  ["A100-PCIe-40GB", { f32: 19.5, tf32: 156, f16: 312 }, 40, 1555, 300],
  ["V100-SXM-32GB", { f32: 15.7, f16: 125 }, 32, 900, 150],
  ["L40S", { f32: 91.6, tf32: 183, f16: 362, fp8: 733 }, 48, 864, 32],
  ["H200", { f32: 66.9, tf32: 494.7, f16: 989.4, fp8: 1978.9 }, 141, 4800, 450],
  ["RTX-4090", { f32: 82.6, tf32: 82.6, f16: 165.2, fp8: 330.3 }, 24, 1008, 32],
  ["MI300X", { f32: 163.4, tf32: 653.7, f16: 1307.4, fp8: 2614.9 }, 192, 5300, 448],
  ["B200", { f32: 75, tf32: 1100, f16: 2250, fp8: 4500 }, 180, 8000, 900],
  ["M1-Max", { f32: 10.4 }, undefined, 400, undefined],
])("%s has the figures of its datasheet", (name, teraflops, memoryGB, memoryGBs, linkGBs) => {
  const gpu = gpus.find((each) => each.name === name);
  expect(gpu?.teraflops).toEqual(teraflops);
  expect([gpu?.memoryGB, gpu?.memoryGBs, gpu?.link?.perDirectionGBs]).toEqual([
    memoryGB,
    memoryGBs,
    linkGBs,
  ]);
});

test.each([
  ["h100sxm5", "H100-SXM"],
  ["NVIDIA H100 80GB HBM3", "H100-SXM"],
  ["H100 PCI-E", "H100-PCIe"],
  ["NVIDIA A100-SXM4-40GB", "A100-SXM-40GB"],
  ["A100-80GB-SXM", "A100-SXM-80GB"],
  ["NVIDIA A100 80GB PCIe", "A100-PCIe-80GB"],
  ["Tesla V100-SXM2-16GB", "V100-SXM-16GB"],
  ["HGX B200", "B200"],
  ["NVIDIA GH200 480GB", "GH200-96GB"],
  ["NVIDIA GeForce RTX 4090", "RTX-4090"],
  ["GeForce RTX 4090 Laptop GPU", "RTX-4090-Laptop"],
  ["3090ti", "RTX-3090-Ti"],
  ["NVIDIA RTX 6000 Ada Generation", "RTX-6000-Ada"],
  ["A6000", "RTX-A6000"],
  ["AMD Instinct MI300X", "MI300X"],
  ["7900xtx", "RX-7900-XTX"],
  ["Intel(R) Arc(TM) A770 Graphics", "Arc-A770"],
  ["Gaudi 3", "Gaudi3"],
  ["Apple M2 Max", "M2-Max"],
  ["Intel(R) Iris(R) Xe Graphics", "Iris-Xe"],
])("%s is %s", (written, name) => {
  expect(nameOf(written)).toBe(name);
});

test.each([
  ["H100", ["H100-SXM", "H100-PCIe", "H100-NVL"]],
  ["A100-80GB", ["A100-SXM-80GB", "A100-PCIe-80GB"]],
  ["RTX 6000", ["Quadro-RTX-6000", "RTX-6000-Ada", "RTX-PRO-6000-Blackwell"]],
])("%s alone can be several, and the error names them", (written, candidates) => {
  expect(gpuNamed(written)).toEqual({ candidates });
  const plan = withDegrees({ hardware: { gpu: written } });
  expect(errorsOf(plan)).toEqual(["gpu-ambiguous"]);
  const { message, position } = found(plan, "gpu-ambiguous") ?? {};
  for (const name of candidates) expect(message).toContain(name);
  expect(position).toMatchObject({ line: 1 });
});

test.each([
  ["H10O-SXM", 'did you mean "H100-SXM"?'],
  ["RTX 4O90", 'did you mean "RTX-4090"?'],
  ["MI300", "did you mean one of MI300A, MI300X?"],
  ["H100-40GB", "did you mean one of H100-SXM, H100-PCIe, H100-NVL?"],
  ["Voodoo 2", "docs/gpus.md lists the names"],
  ["80GB", "docs/gpus.md lists the names"],
  [" ", "docs/gpus.md lists the names"],
  ["x".repeat(10_000), "docs/gpus.md lists the names"],
])("%.20s is no GPU", (written, hint) => {
  const plan = withDegrees({ hardware: { gpu: written } });
  expect(errorsOf(plan)).toEqual(["gpu-unknown"]);
  expect(found(plan, "gpu-unknown")?.hint).toContain(hint);
});

function load(plan: unknown): Plan {
  const { plan: loaded, diagnostics } = parsePlan(JSON.stringify(plan), "plan.json");
  if (loaded === undefined) throw new Error(JSON.stringify(diagnostics));
  return loaded;
}
function hardwareOf(hardware: Record<string, unknown>, dtype = "f16"): Hardware {
  return load(withDegrees({ hardware, workload: { dtype } })).hardware;
}

test("a named GPU gives the plan what its datasheet says, at the workload's dtype", () => {
  const datasheet = "NVIDIA H100 architecture white paper";
  expect(hardwareOf({ gpu: "h100 sxm" })).toEqual({
    gpus: 2,
    gpu: "H100-SXM",
    memoryPerGpu: 80e9,
    peakFlops: 989.4e12,
    memoryBandwidth: 3.35e12,
    linkBandwidth: 450e9,
    sources: {
      memoryPerGpu: datasheet,
      peakFlops: datasheet,
      memoryBandwidth: datasheet,
      linkBandwidth: datasheet,
    },
  });
  expect(hardwareOf({ gpu: "H100-SXM" }, "f32").peakFlops).toBe(66.9e12);
});

test("what a datasheet does not say stays unknown", () => {
  const { sources, ...figures } = hardwareOf({ gpu: "P40" });
  expect(figures).toEqual({
    gpus: 2,
    gpu: "P40",
    memoryPerGpu: 24e9,
    memoryBandwidth: 346e9,
    linkBandwidth: 16e9,
  });
  expect(sources).not.toHaveProperty("peakFlops");
});

test("a plan's own values win, and are its own", () => {
  const own = { memoryPerGpu: "64GB", peakFlops: 1e12, memoryBandwidth: "2TB/s", linkBandwidth: 9 };
  const hardware = hardwareOf({ gpu: "H100-SXM", ...own });
  const values = { memoryPerGpu: 64e9, peakFlops: 1e12, memoryBandwidth: 2e12, linkBandwidth: 9 };
  expect(hardware).toMatchObject({ gpu: "H100-SXM", ...values });
  expect(new Set(Object.values(hardware.sources ?? {}))).toEqual(new Set(["plan"]));
  expect(hardwareOf({ gpu: "H100-SXM", linkBandwidth: "50GB/s" }).sources).toMatchObject({
    linkBandwidth: "plan",
    peakFlops: expect.stringContaining("H100"),
  });
});

test("an unknown GPU leaves the plan's own figures as they are", () => {
  expect(hardwareOf({ gpu: "Voodoo 2", memoryPerGpu: "12MB" })).toEqual({
    gpus: 2,
    gpu: "Voodoo 2",
    memoryPerGpu: 12e6,
    sources: { memoryPerGpu: "plan" },
  });
});

test("figures of an assumed GPU are assumed, the plan's own are not", () => {
  const plan = load(
    withDegrees({
      hardware: { gpu: "H100-SXM", linkBandwidth: "50GB/s" },
      assumed: ["hardware.gpu", "model.hidden"],
    }),
  );
  expect(assumedAmong(plan, ["hardware.peakFlops"])).toEqual(["hardware.gpu"]);
  expect(assumedAmong(plan, ["hardware.memoryPerGpu", "model"])).toEqual([
    "hardware.gpu",
    "model.hidden",
  ]);
  expect(assumedAmong(plan, ["hardware.linkBandwidth", "hardware.gpus"])).toEqual([]);
});

test.each([
  ["A100-80GB", "A100-SXM-80GB", "A100-PCIe-80GB"],
  ["MI300", "MI300A", "MI300X"],
])("a repair of %s proposes each GPU that it can mean", (written, first, second) => {
  const text = `# ours\n${JSON.stringify(withDegrees({ hardware: { gpu: written } }))}`;
  const repaired = repairPlan(parsePlan(text, "plan.yaml").document);
  expect(repaired?.plan.hardware.gpu).toBe(first);
  expect(repaired?.text).toContain("# ours");
  expect(repaired?.alternatives.map(({ text: other }) => other).join("")).toContain(second);
});

test("docs/gpus.md is what the table says today", async () => {
  expect(await readFile("docs/gpus.md", "utf8")).toBe(gpusPage());
});
