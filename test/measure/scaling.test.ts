// Efficiency of several GPUs beside one, and what became of the rest.

import { expect, test } from "vitest";
import { scalingFigures, type ScalingTurn } from "../../src/measure/scaling.ts";
import type { RankTrace, SpanKind, StepTrace } from "../../src/program/trace.ts";

/** One span after the other on each rank, and nothing to do until the last of them ends. */
function step(...ranks: readonly (readonly (readonly [SpanKind, number])[])[]): StepTrace {
  const traces = ranks.map((spans, rank): RankTrace => {
    let at = 0;
    const taken = spans.map(([kind, ms]) => {
      const startMs = at;
      at += ms;
      return { kind, startMs, endMs: at };
    });
    return { rank, startMs: 0, endMs: at, spans: taken, expertTokens: {}, droppedTokens: {} };
  });
  const wallMs = Math.max(...traces.map(({ endMs }) => endMs));
  return { step: 0, provenance: "measured", wallMs, ranks: traces };
}

const one = step([
  ["compute", 8],
  ["host", 2],
]);
/** 5 + 1 of communication, and the second rank has less to compute. */
const two = step(
  [
    ["compute", 5],
    ["move", 1],
    ["wait", 1],
    ["host", 1],
  ],
  [
    ["compute", 4],
    ["move", 1],
    ["wait", 2],
    ["host", 1],
  ],
);
const turns = (alone: StepTrace, together: StepTrace): ScalingTurn[] =>
  Array.from({ length: 5 }, () => ({ alone: [alone], together: [together] }));

test("strong: one GPU's step over that of N, N times", () => {
  const { efficiency, loss } = scalingFigures("strong", 2, turns(one, two), "measured") ?? {};
  expect(efficiency?.value).toBeCloseTo(10 / (2 * 8));
  expect(efficiency?.interval).toBeDefined();
  expect(efficiency?.provenance).toBe("measured");
  expect(loss?.compute).toBeCloseTo((9 - 8) / 16);
  expect(loss?.communication).toBeCloseTo(2 / 16);
  expect(loss?.imbalance).toBeCloseTo(1 / 16);
  expect(loss?.waiting).toBeCloseTo(2 / 16);
  expect(loss?.host).toBeCloseTo(0);
});

test.each(["strong", "weak"] as const)("%s: efficiency and losses are the whole", (kind) => {
  const { efficiency, loss } = scalingFigures(kind, 2, turns(one, two), "projected") ?? {};
  const lost = Object.values(loss ?? {}).reduce((sum, share) => sum + share, 0);
  expect((efficiency?.value ?? 0) + lost).toBeCloseTo(1);
  expect(efficiency?.provenance).toBe("projected");
});

test("weak: one GPU's step over that of N, each with as much to do", () => {
  const { efficiency } = scalingFigures("weak", 2, turns(one, two), "measured") ?? {};
  expect(efficiency?.value).toBeCloseTo(10 / 8);
});

test("load that meets a whole turn cancels, and a turn of several steps is their mean", () => {
  const slow = (trace: StepTrace, factor: number): StepTrace => ({
    ...trace,
    wallMs: trace.wallMs * factor,
  });
  const loaded = [1, 3, 1.5, 2, 1].map((factor) => ({
    alone: [slow(one, factor), slow(one, factor)],
    together: [slow(two, factor)],
  }));
  const { efficiency } = scalingFigures("strong", 2, loaded, "measured") ?? {};
  expect(efficiency?.value).toBeCloseTo(0.625);
  // Wider by what a single run does not show.
  expect(efficiency?.interval?.[0]).toBeCloseTo(0.625 / 1.05);
});

test("load by others makes the interval wider, as it slows more hosts more", () => {
  const of = (othersShare: number) =>
    scalingFigures("strong", 2, turns(one, two), "measured", { othersShare, stolenShare: 0 })
      ?.efficiency;
  expect(of(0.02)?.margin).toBeCloseTo(0.05);
  expect(of(0.2)?.margin).toBeCloseTo(1.05 * 1.25 - 1);
  expect(of(0.2)?.interval?.[0]).toBeLessThan(of(0.02)?.interval?.[0] ?? 0);
});

test("nothing of no turns", () => {
  expect(scalingFigures("strong", 2, [], "measured")).toBeUndefined();
});
