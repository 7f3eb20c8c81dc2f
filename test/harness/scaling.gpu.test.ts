// Scaling of a small plan on real ranks.

import { expect, test } from "vitest";
import { scaling, type ScalingOptions } from "../../src/harness/scaling.ts";
import { parsePlan } from "../../src/plan/load.ts";
import { adapterUnderTest, describeOnOneAdapter } from "../support/gpu.ts";

const { plan, document } = parsePlan(
  `
name: scaled
hardware: { gpus: 2 }
workload: { batch: 16 }
stages:
  - name: only
    layers:
      - { op: linear, in: 32, out: 16, parallel: { kind: row, splitDim: 0, gpus: [0, 1] } }
claims: { strongScaling: 0.9, weakScaling: 0.9 }
`,
  "plan.yaml",
);

async function scaled(options: ScalingOptions) {
  if (plan === undefined || document.written === undefined) throw new Error("no plan");
  return scaling(document.written, plan, [1, 2], { turns: 5, ...options });
}

describeOnOneAdapter("scaling", () => {
  test("two ranks that share an adapter are projected, and their claims with them", async () => {
    const { sizes, verdicts } = await scaled({ adapter: adapterUnderTest() });
    expect(sizes).toMatchObject([
      { kind: "strong", gpus: 2, state: "timed", split: "1 stage", batch: 16, turns: 5 },
      { kind: "weak", gpus: 2, state: "timed", split: "1 stage", batch: 16, turns: 5 },
    ]);
    for (const size of sizes) {
      if (size.state !== "timed") continue;
      expect(size.efficiency.provenance).toBe("projected");
      expect(size.efficiency.value).toBeGreaterThan(0);
      const lost = Object.values(size.loss).reduce((sum, share) => sum + share, 0);
      expect(size.efficiency.value + lost).toBeCloseTo(1, 5);
    }
    expect(verdicts.map(({ claim, judgement }) => `${claim} ${judgement}`)).toEqual([
      "strongScaling projected",
      "weakScaling projected",
    ]);
  });

  test("ranks with a core each are measured, and every timed step is held against the checked one", async () => {
    const placement = [0, 1].map((rank) => `${rank}=${adapterUnderTest()}`).join(",");
    const { sizes, verdicts } = await scaled({ placement, pin: true });
    const isSoftware = adapterUnderTest() !== "gpu0";
    const found = sizes.map((size) => size.state === "timed" && size.efficiency.provenance);
    expect(new Set(found)).toEqual(new Set([isSoftware ? "measured" : "projected"]));
    expect(new Set(verdicts.map(({ judgement }) => judgement))).toEqual(
      new Set([isSoftware ? "untestable" : "projected"]),
    );
  });
});
