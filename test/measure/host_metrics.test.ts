import { expect, test } from "vitest";
import { hostMetrics } from "../../src/measure/host_metrics.ts";
import type { StepSample } from "../../src/measure/sample.ts";
import { breakDown } from "../../src/measure/breakdown.ts";
import { rankTrace, span } from "./synthetic.ts";
import type { HostItems } from "../../src/program/trace.ts";

const conditions = { provenance: "measured", conditions: [] } as const;

function sampleOf(host?: HostItems): StepSample {
  return {
    run: 0,
    step: 0,
    provenance: "measured",
    wallMs: 10,
    ranks: [breakDown(rankTrace(0, [span("host", 0, 10)], host === undefined ? {} : { host }), 10)],
    layers: [],
    communication: [],
    experts: [],
  };
}

const items = { instructions: 20, encodeMs: 0.2, submitMs: 0.4, mapMs: 0.1, wakeMs: 0.3 };

test("what the host does is shared out over the instructions that it ran", () => {
  const [own] = hostMetrics([sampleOf(items), sampleOf(items), sampleOf(items)], conditions);
  expect(own?.instructions).toBe(20);
  expect(own?.encodeMs.value).toBeCloseTo(0.01, 9);
  expect(own?.sumMs.value).toBeCloseTo(0.05, 9);
  expect(own?.sumMs.samples).toBe(3);
});

test("a projection, and a rank without instructions, has no host overhead", () => {
  expect(hostMetrics([sampleOf()], conditions)).toEqual([]);
  expect(hostMetrics([sampleOf({ ...items, instructions: 0 })], conditions)).toEqual([]);
});
