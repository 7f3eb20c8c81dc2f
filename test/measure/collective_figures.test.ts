import { expect, test } from "vitest";
import { algorithmBandwidth, busFactor } from "../../src/measure/bus_bandwidth.ts";
import { fitLink } from "../../src/measure/link_model.ts";
import { benchedCollectives } from "../../src/program/collective_program.ts";

test("algorithm bandwidth is the message over the time", () => {
  expect(algorithmBandwidth(2e6, 4)).toBe(5e8);
});

test.each([
  ["all-reduce", 1.5],
  ["all-gather", 0.75],
  ["reduce-scatter", 0.75],
  ["all-to-all", 0.75],
  ["gather", 0.75],
  ["scatter", 0.75],
  ["broadcast", 1],
  ["reduce", 1],
  ["send", 1],
] as const)("the bus carries %s over four ranks %f times", (op, factor) => {
  expect(busFactor(op, 4)).toBe(factor);
});

test.each(benchedCollectives)("%s on one rank has no bus bandwidth", (op) => {
  expect(busFactor(op, 1)).toBeUndefined();
});

function pointsOf(sizes: readonly number[], ms: (bytes: number) => number) {
  return sizes.map((bytes) => ({ bytes, ms: ms(bytes) }));
}

test("the link model finds latency and bandwidth of a link that has them", () => {
  const link = fitLink(pointsOf([8, 1e3, 1e6, 1e8], (bytes) => 0.25 + (1000 * bytes) / 4e9));
  expect(link?.latencyMs).toBeCloseTo(0.25, 9);
  expect(link?.bandwidth).toBeCloseTo(4e9, -3);
  expect(link?.error).toBeLessThan(1e-9);
});

test("short messages count as much as long ones", () => {
  const link = fitLink(pointsOf([8, 64, 512, 1e8], (bytes) => (bytes < 1e3 ? 0.1 : 50)));
  expect(link?.latencyMs).toBeCloseTo(0.1, 3);
  expect(link?.bandwidth).toBeCloseTo(1e8 / 0.0499, -6);
});

test("a latency below zero and a bandwidth below zero are no model", () => {
  const steep = fitLink([
    { bytes: 10, ms: 1 },
    { bytes: 100, ms: 20 },
  ]);
  expect(steep?.latencyMs).toBe(0);
  const falling = fitLink([
    { bytes: 10, ms: 2 },
    { bytes: 100, ms: 1 },
  ]);
  expect(falling?.bandwidth).toBeUndefined();
  expect(falling?.latencyMs).toBeGreaterThan(1);
});

test("one size tells nothing of a link", () => {
  expect(fitLink([{ bytes: 8, ms: 1 }])).toBeUndefined();
});
