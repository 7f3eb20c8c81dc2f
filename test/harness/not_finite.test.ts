import { expect, test } from "vitest";
import { whereNotFinite } from "../../src/harness/not_finite.ts";
import type { ObservedBuffer, RankObservation } from "../../src/runtime/observation.ts";

const program = { layers: ["first", "second"] };

function gradient(layer: string, values: readonly number[]): ObservedBuffer {
  const shape = [1, values.length];
  const content = {
    kind: "uniform",
    tensor: `${layer}.weight`,
    center: 0,
    scale: 1,
    shape,
    offset: [0, 0],
    size: shape,
  } as const;
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return { layer, microBatch: 0, observation: { kind: "gradient", content, shape }, bytes };
}

function loss(microBatch: number, values: readonly number[]): ObservedBuffer {
  const observation = { kind: "loss", rowOffset: 8, rows: values.length, copy: 0 } as const;
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return { layer: "second", microBatch, observation, bytes };
}

function shown(...ofRanks: readonly (readonly ObservedBuffer[])[]): RankObservation[] {
  return ofRanks.map((observed, rank) => ({ rank, observed }));
}

test("nothing, where all is finite", () => {
  const fine = [gradient("first", [1, 2, 3, 4]), loss(0, [1, 2])];
  expect(whereNotFinite(program, shown(fine, fine))).toBeUndefined();
});

test("the layer that the backward pass reaches first, and all ranks that show it", () => {
  const spoilt = [
    gradient("first", [1, Number.NaN, 3, 4]),
    gradient("second", [1, 2, Infinity, 4]),
  ];
  const early = [gradient("first", [1, Number.NaN, 3, 4]), gradient("second", [1, 2, 3, 4])];
  expect(whereNotFinite(program, shown(early, spoilt, spoilt))).toBe(
    "the gradient of second.weight of second is Infinity on ranks 1, 2",
  );
  expect(whereNotFinite(program, shown(early, early.slice(1)))).toBe(
    "the gradient of first.weight of first is NaN on rank 0",
  );
});

test("a loss before all gradients", () => {
  const spoilt = [gradient("first", [Number.NaN, 1, 1, 1]), loss(1, [1, -Infinity])];
  expect(whereNotFinite(program, shown(spoilt))).toBe(
    "the loss of micro-batch 1, row 9, of second is -Infinity on rank 0",
  );
});
