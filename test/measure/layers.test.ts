import { expect, test } from "vitest";
import { layerLatencies } from "../../src/measure/layers.ts";
import { instructionOf, programOf, rankTrace, span, stepTrace } from "./synthetic.ts";

const program = programOf(
  ["s/0.linear", "s/1.linear"],
  [
    [instructionOf("s/0.linear"), instructionOf("s/1.linear"), instructionOf("s/0.linear", 1)],
    [instructionOf("s/0.linear"), instructionOf("s/1.linear"), instructionOf("s/0.linear", 1)],
  ],
);

test("a layer lasts from its first start on any rank to its last end on any rank", () => {
  const trace = stepTrace([
    rankTrace(0, [span("compute", 1, 3, 0), span("move", 3, 4, 0)]),
    rankTrace(1, [span("compute", 2, 7, 0)]),
  ]);
  expect(layerLatencies(program, trace)).toEqual([{ layer: "s/0.linear", latencyMs: [6] }]);
});

test("micro-batches of a layer are counted apart, in order", () => {
  const trace = stepTrace([
    rankTrace(0, [span("compute", 10, 14, 2), span("compute", 0, 3, 0), span("compute", 3, 5, 1)]),
  ]);
  expect(layerLatencies(program, trace)).toEqual([
    { layer: "s/0.linear", latencyMs: [3, 4] },
    { layer: "s/1.linear", latencyMs: [2] },
  ]);
});

test("waiting for another layer and encoding ahead do not lengthen a layer", () => {
  const trace = stepTrace([
    rankTrace(0, [span("host", 0, 1, 1), span("wait", 1, 6, 1), span("compute", 6, 8, 1)]),
  ]);
  expect(layerLatencies(program, trace)).toEqual([{ layer: "s/1.linear", latencyMs: [2] }]);
});

test("work between instructions belongs to no layer", () => {
  expect(layerLatencies(program, stepTrace([rankTrace(0, [span("compute", 0, 9)])]))).toEqual([]);
});

test("kernels timed as one leave every latency unknown, of layers with transfers of their own too", () => {
  const alone = rankTrace(0, [span("compute", 0, 3, 0), span("move", 3, 4, 1)]);
  expect(layerLatencies(program, stepTrace([alone]))).toHaveLength(2);
  const mixed = rankTrace(1, [span("compute", 0, 9), span("move", 9, 10, 1)]);
  expect(layerLatencies(program, stepTrace([alone, mixed]))).toEqual([]);
});
