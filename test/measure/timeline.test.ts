// A step as tracks and messages: nothing overlaps on a track, and messages carry all that is received.

import { expect, test } from "vitest";
import { messagesOf } from "../../src/measure/messages.ts";
import { timelineOf } from "../../src/measure/timeline.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { lower } from "../../src/program/lower.ts";
import { planOf } from "../support/given.ts";
import { runOf } from "../support/made_up_run.ts";
import { programOf, rankTrace, span, stepTrace } from "./synthetic.ts";

test("slices that overlap lie on tracks of their own, each in order of time", () => {
  const spans = [
    span("move", 0, 5),
    span("upload", 1, 3),
    span("move", 3, 4),
    span("compute", 2, 4),
    span("wait", 5, 6),
  ];
  const trace = stepTrace([rankTrace(0, spans, { startMs: 0, endMs: 6 })]);
  const { tracks } = timelineOf(programOf([], [[]]), { ...trace, wallMs: 8 }, ["a"], []);
  expect(
    tracks.map(({ kind, place, slices }) => [kind, place, slices.map(({ startMs }) => startMs)]),
  ).toEqual([
    ["compute", 0, [2]],
    ["communication", 0, [0]],
    ["communication", 1, [1, 3]],
    // The end of the step is idle for a rank that is done.
    ["idle", 0, [5, 6]],
  ]);
});

test.each(["three-stage-pipeline.json", "smoke/moe-ep2.yaml"])(
  "messages of %s carry what its collectives bring",
  async (file) => {
    const plan = await planOf(file);
    const { trace } = runOf(plan);
    if (trace === undefined) throw new Error("the run keeps a step");
    const flows = messagesOf(lower(plan), trace);
    const received = flows.reduce((sum, { bytes }) => sum + bytes, 0);
    const { ranks } = estimatePlan(plan);
    expect(received).toBeCloseTo(
      ranks.reduce((sum, rank) => sum + rank.receivedBytes, 0),
      3,
    );
    expect(flows.length).toBeGreaterThan(0);
    for (const { from, to } of flows) expect(from).not.toBe(to);
  },
);

test("a kernel's slice tells its work, and how much of its bound it reached here", async () => {
  const plan = await planOf("three-stage-pipeline.json");
  const { trace, metrics } = runOf(plan);
  if (trace === undefined) throw new Error("the run keeps a step");
  const ids = trace.ranks.map(() => "swiftshader");
  const { tracks } = timelineOf(lower(plan), trace, ids, metrics.kernels);
  const product = tracks
    .flatMap(({ slices }) => slices)
    .find(({ name }) => name.startsWith("kernel matmul (embedding"));
  // 2 · 64 · 512 · 4096 FLOPs in 1 ms, at 500 GFLOP/s.
  expect(product?.work?.flops).toBe(2 * 64 * 512 * 4096);
  expect(product?.work?.reached).toBeCloseTo((2 * 64 * 512 * 4096) / 500e9 / 1e-3, 9);
});
