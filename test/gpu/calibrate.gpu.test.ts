import { afterAll, expect, test } from "vitest";
import { calibrate } from "../../src/gpu/calibrate.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";

describeOnAdapter("calibration", () => {
  afterAll(async () => (await testGpu()).close());

  test("gives figures that an adapter can have, and its memory back", async () => {
    const gpu = await testGpu();
    const figures = await calibrate(gpu);
    // A thousandth of the slowest and a thousand times the fastest adapter known.
    expect(figures.peakFlops).toBeGreaterThan(1e7);
    expect(figures.peakFlops).toBeLessThan(1e17);
    for (const bandwidth of [
      figures.copyBandwidth,
      figures.uploadBandwidth,
      figures.readbackBandwidth,
    ]) {
      expect(bandwidth).toBeGreaterThan(1e6);
      expect(bandwidth).toBeLessThan(1e16);
    }
    expect(figures.submitRoundTripMs).toBeGreaterThan(0);
    expect(figures.samples).toBe(6);
    expect(gpu.memory.bytes).toBe(0);
  });
});
