// Equal blocks of layers are counted once: the figures are those of every block, and depth costs next to nothing.

import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { kernels } from "../../src/kernels/catalog.ts";
import type { Layer } from "../../src/plan/layers/layers.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { Bound } from "../../src/program/bound.ts";
import { createClock } from "../../src/program/bound_clock.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { listen } from "../../src/program/listen.ts";
import { layerNames } from "../../src/program/plan_ops.ts";
import { everyLayer, shorten } from "../../src/program/repeats.ts";
import type { Totals } from "../../src/program/tally.ts";
import { createWireCount } from "../../src/program/wire.ts";
import { arbitraryDegrees } from "../support/arbitrary_degrees.ts";
import { arbitraryPlan } from "../support/arbitrary_plan.ts";
import { comparable, countWhole, rounded } from "../support/count_whole.ts";
import { linear, norm, plan } from "../support/plans.ts";
import { planOf } from "../support/written_plan.ts";

/** A residual may bring what an earlier layer gave, for which blocks that stand for others say it in another order. */
function byLayer<Counted extends Totals>(counted: Counted): Counted {
  return {
    ...counted,
    collectives: counted.collectives.toSorted((a, b) =>
      `${a.layer} ${a.op}` < `${b.layer} ${b.op}` ? -1 : 1,
    ),
  };
}

const peaks = { flops: 1e12, bandwidth: 1e11, linkBandwidth: 1e10 };

/** A step's least time with every block lowered. */
function boundOfWhole(given: Plan): Bound {
  const wire = createWireCount();
  const { gpus } = given.hardware;
  const clock = createClock(gpus, peaks, wire);
  listen(everyLayer(given), {
    allocate() {},
    add: (rank, instruction) => clock.add(rank, instruction),
  });
  const { batch, sequence, microBatches } = given.workload;
  return clock.bound({ batch, tokens: batch * sequence, microBatches });
}

/** A layer that waits to be fused is emitted behind the next. */
function boundByLayer({ layers, ...bound }: Bound): unknown {
  return rounded({ ...bound, layers: layers.toSorted((a, b) => (a.layer < b.layer ? -1 : 1)) });
}

function expectWhole(given: Plan): void {
  const { bound } = estimatePlan(given, peaks);
  if (bound === undefined) throw new Error("no bound");
  expect(boundByLayer(bound)).toEqual(boundByLayer(boundOfWhole(given)));
  const whole = countWhole(given);
  const counted = comparable(byLayer(estimatePlan(given)), whole);
  expect(rounded(counted)).toEqual(rounded(byLayer(whole)));
}

function isShortened(given: Plan): boolean {
  return layerNames(shorten(given).plan).length < layerNames(given).length;
}

test("of any degrees, blocks that are left out count as if they were lowered", () => {
  let shortened = 0;
  fc.assert(
    fc.property(arbitraryDegrees({ maxDepth: 9, maxData: 3 }), (given) => {
      if (isShortened(given)) shortened += 1;
      expectWhole(given);
    }),
    { numRuns: 40, seed: 1 },
  );
  expect(shortened).toBeGreaterThan(8);
});

/** The stages with their layers `times` after one another, where what they give is what they take. */
function repeated(given: Plan, times: number): Plan {
  return {
    ...given,
    stages: given.stages.map((stage) => ({
      ...stage,
      layers: Array.from({ length: times }, (_, block) =>
        stage.layers.map((layer, i): Layer => {
          const at = block * stage.layers.length;
          const name = `${at + i}.${layer.op}`;
          return layer.op === "residual"
            ? { ...layer, name, from: at + layer.from }
            : { ...layer, name };
        }),
      ).flat(),
    })),
  };
}

function widthsOf(layer: Layer | undefined, of: "in" | "out"): number | undefined {
  if (layer === undefined || layer.op === "aggregate" || layer.op === "embedding") return undefined;
  return layer.op === "linear" ? layer[of] : layer.hidden;
}

test("of any stages too, whatever their groups and splits", () => {
  fc.assert(
    fc.property(arbitraryPlan(), fc.integer({ min: 6, max: 9 }), (given, times) => {
      fc.pre(
        given.stages.every(
          ({ layers }) =>
            widthsOf(layers[0], "in") !== undefined &&
            widthsOf(layers[0], "in") === widthsOf(layers.at(-1), "out"),
        ),
      );
      const longer = repeated(given, times);
      expect(isShortened(longer)).toBe(true);
      expectWhole(longer);
    }),
    { numRuns: 20 },
  );
});

function deep(layers: number, more = ""): Plan {
  return planOf(`
name: deep
hardware: { gpus: 4 }
workload: { batch: 4, sequence: 8, microBatches: 2, mode: training, dtype: f16 }
model: { layers: ${layers}, hidden: 8, heads: 2, ffn: 8, vocabulary: 16${more} }
parallel: { tensor: 2, pipeline: 2 }
`);
}

describe("what is lowered of equal blocks", () => {
  test.each([
    ["four of an even number", deep(200), 2 * 4 * 6 + 3],
    ["five of an odd number", deep(202), 2 * 5 * 6 + 3],
    ["all of a stage with five", deep(10), 2 * 5 * 6 + 3],
    [
      "of those with experts and of those without",
      deep(24, ", moe: { experts: 4, denseLayers: [0, 1, 2, 3, 4, 5] }"),
      (4 + 4 + 4) * 6 + 3,
    ],
  ])("%s", (_name, given, layers) => {
    expect(layerNames(shorten(given).plan)).toHaveLength(layers);
  });

  test("a block that a later layer reads from is not left out", () => {
    const groups = [[0]];
    const skip = (from: number) => ({ op: "residual", hidden: 4, from, groups }) as const;
    const block = [norm(4, groups, "rms"), linear(4, 4, "replicated", groups), skip(0)];
    const { model } = deep(3);
    if (model === undefined) throw new Error("a plan of degrees has a model");
    const row = { ...repeated(plan("row", 1, [block]), 6), model };
    const reads = (from: number): Plan => ({
      ...row,
      stages: row.stages.map((stage) => ({
        ...stage,
        layers: [...stage.layers, { ...skip(from), name: "18.residual" }],
      })),
    });
    expect(isShortened(row)).toBe(true);
    expect(isShortened(reads(7))).toBe(false);
    expectWhole(reads(7));
  });
});

test("10,000 layers are counted with the work of sixteen", () => {
  const flops = vi.spyOn(kernels.matmul, "flops");
  const workOf = (layers: number): number => {
    flops.mockClear();
    const { parameters } = estimatePlan(deep(layers));
    expect(parameters.total).toBeGreaterThan(layers * 8 * 8);
    return flops.mock.calls.length;
  };
  expect(workOf(10_000)).toBe(workOf(16));
  flops.mockRestore();
});
