import { expect, test } from "vitest";
import { curveFigures } from "../../src/measure/decode_curve.ts";

const conditions = { provenance: "measured", conditions: [] } as const;

test("what is left of a step without attention is told by the shortest context", () => {
  const curve = curveFigures(
    [
      { context: 512, wallMs: [14, 16, 15], attentionMs: [4, 5, 4], attentionBytes: 5120 },
      { context: 128, wallMs: [11, 12, 11], attentionMs: [1, 2, 1], attentionBytes: 1280 },
    ],
    conditions,
  );
  expect(curve.map(({ stepMs }) => stepMs.value)).toEqual([15, 11]);
  expect(curve.map(({ restMs }) => restMs?.value)).toEqual([11, 10]);
  expect(curve.map(({ restRatio }) => restRatio)).toEqual([1.1, 1]);
});

test("without times of kernels there is the step alone", () => {
  const [point] = curveFigures([{ context: 8, wallMs: [3], attentionBytes: 64 }], conditions);
  expect(point).not.toHaveProperty("restMs");
  expect(point).not.toHaveProperty("restRatio");
  expect(point?.stepMs).toMatchObject({ value: 3, samples: 1 });
});
