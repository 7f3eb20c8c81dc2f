import { afterAll, expect, test } from "vitest";
import { createTimestamps, hostMs, type Timestamps } from "../../src/gpu/timestamps.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";

// What the two clocks may disagree by: on hardware the offset is an estimate.
const toleranceMs = 0.5;

async function make(capacity: number): Promise<Timestamps> {
  const timestamps = await createTimestamps(await testGpu(), capacity);
  if (timestamps === undefined) throw new Error("this adapter cannot time passes");
  return timestamps;
}

async function encodePasses(timestamps: Timestamps, passes: readonly number[]): Promise<void> {
  const { device } = await testGpu();
  const encoder = device.createCommandEncoder();
  for (const pass of passes) encoder.beginComputePass(timestamps.passDescriptor(pass)).end();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
}

describeOnAdapter("timestamps", () => {
  afterAll(async () => (await testGpu()).close());

  test("passes lie within the host times around them, in the order they were encoded", async () => {
    const timestamps = await make(3);
    const before = hostMs();
    await encodePasses(timestamps, [0, 1, 2]);
    const after = hostMs();
    const times = [...(await timestamps.read(3))];
    expect(times).toHaveLength(6);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThan(before - toleranceMs);
    expect(times[5]).toBeLessThan(after + toleranceMs);
    timestamps.destroy();
  });

  test("clocks that were held against each other anew still agree", async () => {
    const timestamps = await make(1);
    await timestamps.synchronise();
    const before = hostMs();
    await encodePasses(timestamps, [0]);
    const after = hostMs();
    const [begin = Number.NaN, end = Number.NaN] = await timestamps.read(1);
    expect(begin).toBeGreaterThan(before - toleranceMs);
    expect(end).toBeLessThan(after + toleranceMs);
    timestamps.destroy();
  });

  test("more passes than one query set holds are read", async () => {
    const timestamps = await make(2050);
    const before = hostMs();
    await encodePasses(timestamps, [2047, 2048, 2049]);
    const times = await timestamps.read(2050);
    expect(times).toHaveLength(4100);
    for (const time of times.subarray(2 * 2047)) expect(time).toBeGreaterThan(before - toleranceMs);
    timestamps.destroy();
  });

  test("a slot beyond the capacity is refused", async () => {
    const timestamps = await make(2);
    expect(() => timestamps.passDescriptor(2)).toThrow("no timestamps for pass 2");
    timestamps.destroy();
  });
});
