import { expect, test } from "vitest";
import { costsOfTrace, noCost } from "../../src/program/simulate/cost.ts";
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
