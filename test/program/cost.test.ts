import { expect, test } from "vitest";
import type { Collective } from "../../src/program/program.ts";
import { costsAlone, costsOfTrace, noCost } from "../../src/program/simulate/cost.ts";
import { rankTrace, span } from "../measure/synthetic.ts";

test("a span counts for its instruction, what no instruction did for the rest, waits for nothing", () => {
  const trace = rankTrace(0, [
    span("host", 0, 1, 0),
    span("compute", 1, 4, 0),
    span("wait", 4, 9, 1),
    span("upload", 9, 10, 1),
    span("host", 10, 12),
  ]);
  expect(costsOfTrace(trace, 2)).toEqual({
    instructions: [
      { ...noCost, host: 1, compute: 3 },
      { ...noCost, upload: 1 },
    ],
    rest: { ...noCost, host: 2 },
  });
});

test("what the host does while a kernel runs costs nothing", () => {
  const trace = rankTrace(0, [
    span("host", 0, 5, 1),
    span("compute", 1, 3, 0),
    span("compute", 4, 6, 0),
  ]);
  const costs = costsOfTrace(trace, 2);
  expect(costs?.instructions).toEqual([
    { ...noCost, compute: 4 },
    { ...noCost, host: 2 },
  ]);
});

test("kernels that were timed as one give no costs", () => {
  expect(costsOfTrace(rankTrace(0, [span("compute", 0, 1)]), 1)).toBeUndefined();
});

const send: Collective = {
  op: "send",
  channel: 0,
  from: [0],
  to: [1],
  name: "send",
  dtype: "f32",
  count: 4,
  origin: { stage: "s", layer: "s/0", microBatch: 0, phase: "forward" },
  send: "x",
};

test("alone, pauses may overlap, and a kernel beside a wait counts once", () => {
  const costOf = (kernel: readonly [number, number]) =>
    costsAlone(
      {
        trace: rankTrace(0, [span("wait", 0, 10, 0), span("compute", ...kernel, 0)]),
        pauses: [
          { startMs: 3, endMs: 8 },
          { startMs: 1, endMs: 6 },
          { startMs: 2, endMs: 4 },
        ],
      },
      [send],
    )?.instructions[0];
  // Nothing but 0 … 1 and 8 … 10 is the rank's own.
  expect(costOf([3, 7])).toEqual({ ...noCost, compute: 4, host: 3 });
  expect(costOf([8, 10])).toEqual({ ...noCost, compute: 2, host: 1 });
  expect(costOf([0, 4])).toEqual({ ...noCost, compute: 4, host: 2 });
});

test("alone, what looks like waiting for others is the rank's own work, but for its pauses", () => {
  const start = { op: "start", transfer: send, block: 0, origin: send.origin } as const;
  const trace = rankTrace(0, [
    span("wait", 0, 4, 0),
    span("move", 4, 5, 0),
    span("wait", 5, 6, 0),
    // While it is under way, the rank does something else.
    span("wait", 6, 9, 1),
  ]);
  const costs = costsAlone({ trace, pauses: [{ startMs: 1, endMs: 3.5 }] }, [send, start]);
  expect(costs?.instructions).toEqual([{ ...noCost, host: 2.5, move: 1 }, noCost]);
});
