import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adapterCacheKey } from "../../src/gpu/cache_key.ts";
import { readCacheFile, writeCacheFile } from "../../src/gpu/cache_file.ts";
import { type Calibration, calibrationSchema } from "../../src/gpu/calibration/calibration.ts";
import { copy } from "../../src/gpu/calibration/memory.ts";
import { microVariant } from "../../src/gpu/calibration/micro_kernel.ts";
import { calibrateAndKeep, recallOrCalibrate } from "../../src/gpu/calibration/recall.ts";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";

describeOnAdapter("calibration", () => {
  let folder = "";
  let gpu: LogicalGpu;
  let first: Calibration;
  let second: Calibration;
  const parts: Calibration[] = [];
  const measureAgain = async (): Promise<Calibration> => second;
  const before = process.env["XDG_CACHE_HOME"];

  beforeAll(async () => {
    gpu = await testGpu();
    folder = await mkdtemp(join(tmpdir(), "shardbench-calibration-"));
    process.env["XDG_CACHE_HOME"] = folder;
    first = (await calibrateAndKeep(gpu, (part) => parts.push(part))).calibration;
    second = { ...first, date: new Date().toISOString(), tookMs: 1 };
  });
  afterAll(async () => {
    if (before === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = before;
    await rm(folder, { recursive: true });
    gpu.close();
  });

  test("what is measured so far is told as it comes, and is the whole in the end", () => {
    const counts = parts.map(({ rates, costs }) => Object.keys({ ...rates, ...costs }).length);
    expect(counts[0]).toBe(1);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(parts.at(-1)).toEqual(first);
  });

  /** As if that had been kept. */
  const keep = async (calibration: Calibration): Promise<void> => {
    await writeCacheFile("calibration", adapterCacheKey(gpu.report), calibration);
  };

  test("gives figures that an adapter can have, and its memory back", () => {
    const rates = Object.values(first.rates).map(({ runs }) => runs);
    const costs = Object.values(first.costs).map(({ runs }) => runs);
    // A thousandth of the slowest and a thousand times the fastest adapter known.
    expect(Math.min(...rates.flat())).toBeGreaterThan(1e6);
    expect(Math.max(...rates.flat())).toBeLessThan(1e17);
    expect(Math.min(...rates.map(({ length }) => length))).toBeGreaterThanOrEqual(7);
    expect(Math.min(...costs.flat())).toBeGreaterThan(0);
    expect(gpu.memory.bytes).toBe(0);
  });

  test("has every ceiling that the adapter can have, and none that it cannot", () => {
    const always = "bufferCopy copy f32 read readback upload workgroup write".split(" ");
    const half = gpu.device.features.has("shader-f16") ? ["f16"] : [];
    const matrix = gpu.device.features.has("chromium-experimental-subgroup-matrix");
    expect(
      Object.keys(first.rates)
        .filter((name) => !(matrix && name === "matrix"))
        .toSorted(),
    ).toEqual([...always, ...half].toSorted());
    expect(Object.keys(first.costs).toSorted()).toEqual(
      "dispatch encode roundTrip submit".split(" "),
    );
  });

  test("is kept as it was measured", async () => {
    const kept = await readCacheFile("calibration", adapterCacheKey(gpu.report), calibrationSchema);
    expect(kept).toEqual(first);
  });

  test("a kept one that promises a thousand times of what is reached now is measured anew", async () => {
    const { f32 } = first.rates;
    if (f32 === undefined) throw new Error("no f32 was measured");
    const runs = f32.runs.map((rate) => 1000 * rate);
    await keep({ ...first, rates: { ...first.rates, f32: { ...f32, runs } } });
    expect(await recallOrCalibrate(gpu, measureAgain)).toEqual({ calibration: second });
  });

  test("an old one is measured anew", async () => {
    const date = new Date(Date.now() - 31 * 24 * 3600 * 1000).toISOString();
    await keep({ ...first, date });
    expect(await recallOrCalibrate(gpu, measureAgain)).toEqual({ calibration: second });
  });

  test.each([
    ["control: one that does all of its work is taken", 256, true],
    ["one that does half of its work is refused", 128, false],
  ])("%s", async (_, quads, taken) => {
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    const usage = STORAGE | COPY_DST | COPY_SRC;
    const x = await gpu.createBuffer("x", 4096, usage);
    const y = await gpu.createBuffer("y", 4096, usage);
    gpu.device.queue.writeBuffer(x, 0, new Uint32Array(1024).fill(7));
    const bench = { gpu, timestamps: undefined, buffer: () => Promise.reject(new Error("unused")) };
    const micro = {
      kernel: copy,
      work: () => 8192,
      resultBytes: () => 4096,
      findWrong: (words: Uint32Array) =>
        words.every((word) => word === 7) ? undefined : "a word too few",
    };
    const variant = await microVariant(bench, micro, { quads }, [x, y]);
    const outcome = await variant.verify().then(
      () => "taken",
      (error: Error) => error.message,
    );
    expect(outcome).toBe(taken ? "taken" : "calibration/copy gives a word too few");
    gpu.destroyBuffer(x);
    gpu.destroyBuffer(y);
  });
});
