import { expect, test } from "vitest";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";

describeOnAdapter("closing", () => {
  test("is not a loss", async () => {
    const gpu = await testGpu();
    gpu.close();
    await gpu.device.lost;
    const first = await Promise.race([gpu.lost, Promise.resolve("still waiting")]);
    expect(first).toBe("still waiting");
  });
});
