// Biases of products: each is added once, however the product is split.

import { describe, expect, test } from "vitest";
import { parsePlan } from "../../src/plan/load.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { lower } from "../../src/program/lower.ts";
import { unshard } from "../../src/program/unshard.ts";
import { biasedPlans } from "../support/biased_plans.ts";
import { linear, plan } from "../support/plans.ts";
import { worstError } from "../support/worst_error.ts";

describe.each(biasedPlans.map((each) => [each.name, each] as const))("%s", (_, given) => {
  test("each bias is added once", async () => {
    expect(await worstError(given)).toBeLessThan(1e-6);
    expect(await worstError(unshard(given))).toBeLessThan(1e-6);
  });
});

test("without its biases a layer gives something else", async () => {
  const [given] = biasedPlans;
  const plain = {
    ...given!,
    stages: given!.stages.map((stage) => ({
      ...stage,
      layers: stage.layers.map((layer) => ({ ...layer, bias: false })),
    })),
  };
  expect(await worstError(plain)).toBeLessThan(1e-6);
  expect(await worstError(given!, lower(plain))).toBeGreaterThan(1e-3);
});

test("of partial sums one rank holds the bias, of columns each its own", () => {
  const biased = { bias: true };
  const given = plan("held", 2, [
    [
      { ...linear(6, 10, "column", [[0, 1]]), ...biased },
      { ...linear(10, 7, "row", [[0, 1]]), ...biased },
    ],
  ]);
  const held = lower(given).ranks.map(({ buffers }) =>
    buffers.flatMap(({ id, shape }) => (id.endsWith("/bias") ? [shape] : [])),
  );
  expect(held).toEqual([[[5], [7]], [[5]]]);
});

test("a model's biases are parameters, read at every product", () => {
  const of = (biases: readonly string[]) => {
    const { plan: parsed } = parsePlan(
      JSON.stringify({
        name: "biases",
        hardware: { gpus: 1 },
        workload: { batch: 1, sequence: 3 },
        model: {
          layers: 2,
          hidden: 8,
          heads: 2,
          ffn: 12,
          gated: true,
          vocabulary: 20,
          biases,
          moe: { experts: 3, topK: 2, ffn: 5, denseLayers: [0] },
        },
        parallel: { tensor: 1 },
      }),
      "plan.json",
    );
    return estimatePlan(parsed!).parameters;
  };
  const [none, all] = [of([]), of(["mlp", "experts", "router", "head"])];
  const added = 12 + 12 + 8 + 3 * (5 + 5 + 8) + 3 + 20;
  expect(all.inProgram - none.inProgram).toBe(added);
  expect(all.total - none.total).toBe(added);
  expect(all.active - none.active).toBe(added - (5 + 5 + 8));
});
