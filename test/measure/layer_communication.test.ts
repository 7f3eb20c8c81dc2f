import { expect, test } from "vitest";
import { layerCommunication } from "../../src/measure/layer_communication.ts";
import type { Instruction } from "../../src/program/program.ts";
import { instructionOf, programOf, rankTrace, span, stepTrace } from "./synthetic.ts";

function transferOf(layer: string): Instruction {
  return {
    op: "broadcast",
    origin: instructionOf(layer).origin,
    name: layer,
    channel: 0,
    dtype: "f32",
    from: [0],
    to: [1],
    count: 1,
  };
}

const own: readonly Instruction[] = [
  instructionOf("s/0.linear"),
  transferOf("s/0.linear"),
  transferOf("s/1.linear"),
];
const program = programOf(["s/0.linear", "s/1.linear"], [own, own]);

test("communication beside a kernel is hidden, the rest exposed, waiting included", () => {
  const trace = stepTrace([
    rankTrace(0, [
      span("compute", 0, 4, 0),
      span("move", 3, 6, 1),
      span("wait", 6, 9, 1),
      span("upload", 9, 10, 1),
    ]),
  ]);
  expect(layerCommunication(program, trace)).toEqual([
    { layer: "s/0.linear", hiddenMs: 1, exposedMs: 6 },
  ]);
});

test("blocks of one layer that are under way at the same time count once", () => {
  const trace = stepTrace([rankTrace(0, [span("wait", 0, 5, 1), span("move", 3, 7, 1)])]);
  expect(layerCommunication(program, trace)).toEqual([
    { layer: "s/0.linear", hiddenMs: 0, exposedMs: 7 },
  ]);
});

test("the rank on which a layer's communication takes longest stands for it", () => {
  const trace = stepTrace([
    rankTrace(0, [span("wait", 0, 5, 2)]),
    rankTrace(1, [span("wait", 0, 6, 2), span("compute", 2, 3, 0)]),
  ]);
  expect(layerCommunication(program, trace)).toEqual([
    { layer: "s/1.linear", hiddenMs: 1, exposedMs: 5 },
  ]);
});

test("host work and kernels of the model are no communication", () => {
  const trace = stepTrace([rankTrace(0, [span("host", 0, 5, 1), span("compute", 5, 6, 0)])]);
  expect(layerCommunication(program, trace)).toEqual([]);
});
