import * as fc from "fast-check";
import { expect, test } from "vitest";
import { breakDown } from "../../src/measure/breakdown.ts";
import type { RankSample } from "../../src/measure/sample.ts";
import type { SpanKind } from "../../src/program/trace.ts";
import { rankTrace, span } from "./synthetic.ts";

function total(sample: RankSample): number {
  return (
    sample.computeMs +
    sample.reduceMs +
    sample.uploadMs +
    sample.readbackMs +
    sample.moveMs +
    sample.idleMs +
    sample.hostMs +
    sample.unattributedMs
  );
}

test("control: spans one after the other are counted as they are", () => {
  const sample = breakDown(
    rankTrace(0, [
      span("host", 0, 1),
      span("compute", 1, 4),
      span("readback", 4, 6),
      span("wait", 6, 7),
      span("move", 7, 8),
      span("upload", 8, 9),
      span("reduce", 9, 10),
    ]),
    10,
  );
  expect(sample).toMatchObject({
    hostMs: 1,
    computeMs: 3,
    readbackMs: 2,
    idleMs: 1,
    moveMs: 1,
    uploadMs: 1,
    reduceMs: 1,
    unattributedMs: 0,
  });
});

test("a moment that the GPU computes is compute, whatever else happens", () => {
  const sample = breakDown(
    rankTrace(0, [span("compute", 0, 6), span("move", 4, 8), span("host", 0, 10)]),
    10,
  );
  expect(sample).toMatchObject({ computeMs: 6, moveMs: 2, hostMs: 2 });
});

test("a wait beats the host work around it", () => {
  const sample = breakDown(rankTrace(0, [span("host", 0, 10), span("wait", 2, 7)]), 10);
  expect(sample).toMatchObject({ idleMs: 5, hostMs: 5 });
});

test("before a rank's start and after its end it is idle", () => {
  const late = rankTrace(1, [span("compute", 3, 5)], { startMs: 3, endMs: 6 });
  expect(breakDown(late, 10)).toMatchObject({ computeMs: 2, idleMs: 7, unattributedMs: 1 });
});

test("time that no span covers is unattributed, not shared out", () => {
  const sample = breakDown(rankTrace(0, [span("compute", 0, 4), span("host", 6, 10)]), 10);
  expect(sample).toMatchObject({ computeMs: 4, hostMs: 4, idleMs: 0, unattributedMs: 2 });
});

test("what lies outside the step does not count", () => {
  const sample = breakDown(
    rankTrace(0, [span("compute", -5, 3), span("host", 3, 14)], { startMs: -5, endMs: 14 }),
    10,
  );
  expect(sample).toMatchObject({ computeMs: 3, hostMs: 7 });
});

test("overlap is communication during which the rank computes, each moment once", () => {
  const sample = breakDown(
    rankTrace(0, [
      span("compute", 0, 4),
      span("compute", 2, 5),
      span("move", 3, 8),
      span("upload", 4, 6),
    ]),
    10,
  );
  expect(sample).toMatchObject({ communicatingMs: 5, overlappedMs: 2 });
});

test("reductions keep a GPU busy, copies do not", () => {
  const sample = breakDown(
    rankTrace(0, [span("compute", 0, 2), span("reduce", 2, 3), span("readback", 3, 9)]),
    10,
  );
  expect(sample.busyMs).toBe(3);
});

const kinds: readonly SpanKind[] = [
  "compute",
  "readback",
  "move",
  "reduce",
  "upload",
  "host",
  "wait",
];

test("whatever the spans: the parts sum to the wall time", () => {
  const spans = fc.array(
    fc
      .tuple(fc.constantFrom(...kinds), fc.integer({ min: -5, max: 30 }), fc.nat(20))
      .map(([kind, start, length]) => span(kind, start, start + length)),
  );
  fc.assert(
    fc.property(spans, fc.nat(10), fc.integer({ min: 10, max: 25 }), (given, startMs, endMs) => {
      expect(total(breakDown(rankTrace(0, given, { startMs, endMs }), 25))).toBeCloseTo(25, 9);
    }),
  );
});
