// Techniques of a plan switched off one by one and in pairs, on real ranks.

import { expect, test } from "vitest";
import { ablate } from "../../src/harness/ablate.ts";
import { adapterUnderTest, describeOnOneAdapter } from "../support/gpu.ts";
import { linear, plan } from "../support/plans.ts";

describeOnOneAdapter("an ablation", () => {
  test("checks every variant, and times all of them in turn", async () => {
    const techniques = ["communication-overlap", "mixed-precision"];
    const ablated = plan("ablated", 2, [[linear(64, 128, "row", [[0, 1]])]], {
      optimizations: [...techniques, "gradient-accumulation"],
      workload: { batch: 1, microBatches: 1, sequence: 512, dtype: "f16" },
    });
    const found = await ablate(ablated, { adapter: adapterUnderTest(), rounds: 5 });
    expect(found.variants.map(({ off }) => off)).toEqual([
      [],
      ["communication-overlap"],
      ["mixed-precision"],
      techniques,
    ]);
    for (const { stepMs, error, tolerance } of found.variants) {
      expect(stepMs).toHaveLength(5);
      expect(error).toBeLessThanOrEqual(tolerance);
    }
    const [asItIs, , full] = found.variants;
    expect(full?.error).toBeLessThan((asItIs?.error ?? 0) / 10);
    expect(full?.wireBytes).toBe(2 * (asItIs?.wireBytes ?? 0));
    expect(found.techniques).toMatchObject([
      { technique: "communication-overlap", state: "measured" },
      { technique: "mixed-precision", state: "measured", wireRatio: 0.5 },
      { technique: "gradient-accumulation", state: "not switched" },
    ]);
    expect(found.pairs).toMatchObject([{ pair: techniques, state: "measured" }]);
  });
});
