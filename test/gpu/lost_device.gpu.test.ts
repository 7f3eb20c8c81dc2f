import { expect, test } from "vitest";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";

describeOnAdapter("a lost device", () => {
  test("is reported with the reason", async () => {
    const gpu = await testGpu();
    gpu.device.destroy();
    expect(await gpu.lost).toMatch(/destroyed/i);
    gpu.close();
  });
});
