import { expect, test } from "vitest";
import { parsePlan } from "../../src/plan/load.ts";
import { estimatePlan } from "../../src/program/estimate.ts";

const microBatches = 2;

function trained(parallel: Record<string, unknown>, workload: Record<string, unknown> = {}) {
  const written = {
    name: "replicas",
    hardware: { gpus: 4 },
    workload: { mode: "training", batch: 8, microBatches, sequence: 8, dtype: "f16", ...workload },
    model: { layers: 2, hidden: 32, heads: 4, ffn: 64, vocabulary: 128 },
    parallel: { data: 4, ...parallel },
  };
  const { plan } = parsePlan(JSON.stringify(written), "plan.json");
  if (plan === undefined) throw new Error("must load");
  const { parameters, replicaTraffic, collectives } = estimatePlan(plan);
  return { parameters: parameters.inProgram, replicaTraffic, collectives };
}

/** (n − 1)/n of four replicas. */
const share = 3 / 4;

test("without ZeRO gradients are all-reduced, in f32", () => {
  const { parameters, replicaTraffic } = trained({});
  expect(replicaTraffic).toEqual({ gradients: 2 * share * 4 * parameters, weights: 0 });
});

test("stage 1 scatters gradients and gathers weights, as many bytes as an all-reduce of one dtype", () => {
  const { parameters, replicaTraffic } = trained({ zero: 1 });
  expect(replicaTraffic).toEqual({
    gradients: share * 4 * parameters,
    weights: share * 2 * parameters,
  });
  const wide = trained({ zero: 1 }, { dtype: "f32" }).replicaTraffic;
  const whole = trained({}, { dtype: "f32" }).replicaTraffic;
  expect((wide?.gradients ?? 0) + (wide?.weights ?? 0)).toBe(whole?.gradients);
});

test("from stage 2 on each micro-batch scatters; with stage 3 it gathers for both passes", () => {
  const { parameters, replicaTraffic } = trained({ zero: 2 });
  expect(replicaTraffic).toEqual({
    gradients: microBatches * share * 4 * parameters,
    weights: share * 2 * parameters,
  });
  expect(trained({ zero: 3 }).replicaTraffic).toEqual({
    gradients: microBatches * share * 4 * parameters,
    weights: microBatches * 2 * share * 2 * parameters,
  });
});

test("groups that hold a copy each shard among two, and sum their shards once a step", () => {
  const { parameters, replicaTraffic } = trained({ zero: 3, dataShard: 2 });
  /** (n − 1)/n of two: of the ranks of a group, and of the groups. */
  const half = 1 / 2;
  const shard = parameters / 2;
  expect(replicaTraffic).toEqual({
    gradients: microBatches * half * 4 * parameters + 2 * half * 4 * shard,
    weights: microBatches * 2 * half * 2 * parameters,
  });
  expect(trained({ zero: 1, dataShard: 2 }).replicaTraffic).toEqual({
    gradients: half * 4 * parameters + 2 * half * 4 * shard,
    weights: half * 2 * parameters,
  });
});

test("groups of one rank all-reduce as replicas without ZeRO do; one group of all is ZeRO's own", () => {
  expect(trained({ zero: 1, dataShard: 1 }).replicaTraffic).toEqual(trained({}).replicaTraffic);
  expect(trained({ zero: 2, dataShard: 4 }).replicaTraffic).toEqual(
    trained({ zero: 2 }).replicaTraffic,
  );
});

test("a tensor rank exchanges its shard alone, with the ranks that hold the same", () => {
  const { parameters, replicaTraffic } = trained({ tensor: 2, data: 2 });
  const norms = (2 * 2 + 1) * 32;
  const ofRank = (parameters - norms) / 2 + norms;
  expect(replicaTraffic?.gradients).toBe(2 * (1 / 2) * 4 * ofRank);
});

test.each([
  [0, ["all-reduce"]],
  [1, ["all-gather", "all-reduce", "reduce-scatter"]],
])("with an optimizer and ZeRO stage %i the program moves it all", (zero, moving) => {
  const optimizer = { name: "adamw" };
  const { collectives, replicaTraffic } = trained({ zero }, { optimizer });
  expect([...new Set(collectives.map(({ op }) => op))].toSorted()).toEqual(moving);
  expect(replicaTraffic).toBeUndefined();
});

test("one replica exchanges nothing, nor does inference", () => {
  expect(trained({ tensor: 4, data: 1 }).replicaTraffic).toBeUndefined();
  expect(trained({}, { mode: "inference" }).replicaTraffic).toBeUndefined();
});
