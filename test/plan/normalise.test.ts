import { expect, test } from "vitest";
import { parsePlan } from "../../src/plan/load.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { degreesPlan, stages, stagesPlan, withDegrees } from "./checked.ts";

function load(plan: unknown): Plan {
  const result = parsePlan(JSON.stringify(plan), "plan.json");
  if (result.plan === undefined) throw new Error(JSON.stringify(result.diagnostics));
  return result.plan;
}
function opsOf(plan: Plan) {
  return plan.stages.map(({ layers }) => layers.map(({ op }) => op));
}

test("defaults are filled in", () => {
  const { workload, claims, optimizations, assumed, communications } = load(degreesPlan);
  expect(workload).toEqual({
    mode: "inference",
    batch: 4,
    microBatches: 1,
    sequence: 1,
    dtype: "f32",
    seed: 0,
  });
  expect([claims, optimizations, assumed, communications]).toEqual([{}, [], [], []]);
});

test("quantities become numbers", () => {
  const plan = load(
    withDegrees({
      hardware: {
        gpus: 2,
        memoryPerGpu: "16MiB",
        peakFlops: "67TFLOPS",
        memoryBandwidth: "3.35TB/s",
        linkBandwidth: "50GB/s",
      },
      claims: { memoryAvailable: "21.7GB", gpuUtilization: 0.95 },
    }),
  );
  expect(plan.hardware).toEqual({
    gpus: 2,
    memoryPerGpu: 16 * 2 ** 20,
    peakFlops: 67e12,
    memoryBandwidth: 3.35e12,
    linkBandwidth: 50e9,
    sources: {
      memoryPerGpu: "plan",
      peakFlops: "plan",
      memoryBandwidth: "plan",
      linkBandwidth: "plan",
    },
  });
  expect(plan.claims).toEqual({ memoryAvailable: 21.7e9, gpuUtilization: 0.95 });
});

test("a model's defaults follow from its sizes", () => {
  const { model } = load(
    withDegrees({ model: { layers: 1, hidden: 32, heads: 4, moe: { experts: 6, topK: 1 } } }),
  );
  expect(model).toMatchObject({
    kvHeads: 4,
    headDim: 8,
    ffn: 64,
    gated: false,
    causal: true,
    norm: "rms",
    moe: { ffn: 64, topK: 1, renormalise: false, dense: false },
  });
  expect(model?.vocabulary).toBeUndefined();
});

test("a block is norm, attention, residual, then MLP and experts in the same frame", () => {
  const plan = load(withDegrees({ model: { ...degreesPlan.model, layers: 1 } }));
  expect(opsOf(plan)).toEqual([
    ["norm", "attention", "residual", "norm", "mlp", "residual", "norm", "moe", "residual"],
  ]);
  const layers = plan.stages[0]?.layers ?? [];
  expect(layers.map((layer) => (layer.op === "residual" ? layer.from : undefined))).toEqual([
    undefined,
    undefined,
    0,
    undefined,
    undefined,
    3,
    undefined,
    undefined,
    6,
  ]);
  expect(layers.map(({ name }) => name).slice(0, 3)).toEqual([
    "0.norm",
    "1.attention",
    "2.residual",
  ]);
});

test("without dense, experts stand in the MLP's place", () => {
  const moe = { experts: 6 };
  const plan = load(withDegrees({ model: { ...degreesPlan.model, layers: 1, moe } }));
  expect(opsOf(plan)).toEqual([["norm", "attention", "residual", "norm", "moe", "residual"]]);
});

test("a vocabulary adds the embedding before and the LM head after the blocks", () => {
  const model = { layers: 2, hidden: 32, heads: 4, vocabulary: 100, gated: true };
  const parallel = { tensor: 2, pipeline: 2 };
  const plan = load({ ...degreesPlan, hardware: { gpus: 4 }, model, parallel });
  const block = ["norm", "attention", "residual", "norm", "mlp", "residual"];
  expect(opsOf(plan)).toEqual([
    ["embedding", ...block],
    [...block, "norm", "linear"],
  ]);
  expect(plan.stages[0]?.layers[0]).toMatchObject({ split: "row", vocabulary: 100, hidden: 32 });
  expect(plan.stages[0]?.layers[3]).toMatchObject({ op: "residual", from: 1 });
  expect(plan.stages[0]?.layers[5]).toMatchObject({ op: "mlp", activation: "silu" });
  expect(plan.stages[1]?.layers.at(-1)).toMatchObject({ split: "column", in: 32, out: 100 });
});

test("ranks run over tensor first, then data, then pipeline", () => {
  const plan = load(
    withDegrees({
      hardware: { gpus: 8 },
      parallel: { tensor: 2, pipeline: 2, data: 2, expert: 4 },
    }),
  );
  expect(plan.stages.map(({ layers }) => layers[0]?.groups)).toEqual([
    [
      [0, 1],
      [2, 3],
    ],
    [
      [4, 5],
      [6, 7],
    ],
  ]);
  const experts = plan.stages.map(({ layers }) => layers.find(({ op }) => op === "moe"));
  expect(experts).toMatchObject([
    { expertGroups: [[[0], [1], [2], [3]]] },
    { expertGroups: [[[4], [5], [6], [7]]] },
  ]);
});

function expertGroups(gpus: number, parallel: object) {
  const plan = load(withDegrees({ hardware: { gpus }, parallel }));
  const moe = plan.stages[0]?.layers.find(({ op }) => op === "moe");
  return moe?.op === "moe" ? moe.expertGroups : undefined;
}

test("the ranks of a stage fold into expert groups, each with every expert once", () => {
  expect(expertGroups(4, { tensor: 2, data: 2, expert: 2 })).toEqual([
    [[0], [1]],
    [[2], [3]],
  ]);
  expect(expertGroups(4, { tensor: 1, data: 4, expert: 2 })).toEqual([
    [[0], [1]],
    [[2], [3]],
  ]);
  expect(expertGroups(4, { tensor: 4, data: 1, expert: 2 })).toEqual([
    [[0], [1]],
    [[2], [3]],
  ]);
  expect(expertGroups(8, { tensor: 1, context: 8, expert: 8 })).toEqual([
    [[0], [1], [2], [3], [4], [5], [6], [7]],
  ]);
});

test("without expert parallelism tensor ranks slice each expert, and replicas hold all", () => {
  expect(expertGroups(4, { tensor: 2, data: 2, expert: 1 })).toEqual([[[0, 1]], [[2, 3]]]);
  expect(expertGroups(3, { tensor: 1, data: 3, expert: 1 })).toEqual([[[0]], [[1]], [[2]]]);
  expect(expertGroups(4, { tensor: 4, expert: 1 })).toEqual([[[0, 1, 2, 3]]]);
});

test("expert-tensor and expert degrees together take whole tensor groups", () => {
  expect(expertGroups(4, { tensor: 2, data: 2, expert: 2, expertTensor: 2 })).toEqual([
    [
      [0, 1],
      [2, 3],
    ],
  ]);
});

test("named groups place tensor ranks and experts, and may differ", () => {
  const parallel = { tensor: 2, expert: 3, tensorGroup: [2, 1], expertGroup: [0, 1, 2] };
  const plan = load(withDegrees({ hardware: { gpus: 3 }, parallel }));
  expect(plan.stages[0]?.layers.find(({ op }) => op === "moe")).toMatchObject({
    groups: [[2, 1]],
    expertGroups: [[[0], [1], [2]]],
  });
});

test.each([
  [{ gpu_1: ["mlp_fc1_0"], gpu_2: ["mlp_fc1_1"] }],
  [{ gpu_1_gpu_2: { mlp_layers: ["fc1_0", "fc1_1"] } }],
])("either form of a distribution states the tensor group", (distribution) => {
  const plan = load(
    withDegrees({ hardware: { gpus: 3 }, tensor_parallel_distribution: distribution }),
  );
  expect(plan.stages[0]?.layers[0]?.groups).toEqual([[1, 2]]);
});

test("explicit stages keep their layers, groups and communications", () => {
  const plan = load(stagesPlan);
  expect(plan.degrees).toBeUndefined();
  expect(plan.stages.map(({ layers }) => layers[0])).toEqual([
    {
      op: "linear",
      name: "0.linear",
      in: 8,
      out: 12,
      activation: "none",
      split: "column",
      groups: [[0, 1]],
    },
    {
      op: "linear",
      name: "0.linear",
      in: 12,
      out: 8,
      activation: "none",
      split: "row",
      groups: [[1, 2]],
    },
    { op: "aggregate", name: "0.aggregate", over: "batch", groups: [[2]] },
  ]);
  expect(plan.communications).toEqual([
    { name: "ab", op: "all-gather", from: [0, 1], to: [1, 2], after: 0 },
    { name: "bc", op: "all-reduce", from: [1, 2], to: [2], after: 1 },
  ]);
});

function mlp(parallel: Record<string, unknown>) {
  return { op: "mlp", hidden: 8, ffn: 8, parallel };
}

test.each([
  ["one group", { kind: "tensor", gpus: [0, 1] }, [[0, 1]]],
  ["a replica per GPU", { kind: "data", gpus: [0, 1] }, [[0], [1]]],
  [
    "replicas of a flat list",
    { kind: "tensor", gpus: [0, 1, 2, 3], replicas: 2 },
    [
      [0, 1],
      [2, 3],
    ],
  ],
  [
    "lists of GPUs",
    {
      kind: "tensor",
      gpus: [
        [0, 2],
        [1, 3],
      ],
    },
    [
      [0, 2],
      [1, 3],
    ],
  ],
])("groups: %s", (_, parallel, groups) => {
  expect(load(stages(4, [[mlp(parallel)]])).stages[0]?.layers[0]?.groups).toEqual(groups);
});

test("a layer without parallel runs where the layer before it runs", () => {
  const norm = { op: "norm", hidden: 8 };
  const plan = load(stages(2, [[mlp({ kind: "tensor", gpus: [0, 1] }), norm]]));
  expect(plan.stages[0]?.layers[1]).toEqual({
    op: "norm",
    name: "1.norm",
    hidden: 8,
    norm: "rms",
    epsilon: 1e-5,
    groups: [[0, 1]],
  });
  const { diagnostics } = parsePlan(JSON.stringify(stages(1, [[norm]])), "p.json");
  expect(diagnostics.map(({ code }) => code)).toEqual(["layer-without-gpus"]);
});

function moeLayer(parallel: Record<string, unknown>) {
  return {
    op: "moe",
    hidden: 8,
    ffn: 8,
    experts: 6,
    parallel,
  };
}

test("tokens of explicit experts stay where they were, or where tokenGpus says", () => {
  const experts = { kind: "expert", gpus: [0, 1, 2] };
  const after = load(stages(3, [[mlp({ kind: "tensor", gpus: [0, 1] }), moeLayer(experts)]]));
  expect(after.stages[0]?.layers[1]).toMatchObject({
    groups: [[0, 1]],
    expertGroups: [[[0], [1], [2]]],
  });
  const named = load(stages(3, [[moeLayer({ ...experts, tokenGpus: [2] })]]));
  expect(named.stages[0]?.layers[0]).toMatchObject({
    groups: [[2]],
    expertGroups: [[[0], [1], [2]]],
  });
});

function sendAfter(after: string | undefined) {
  return {
    ...stagesPlan,
    communications: [{ name: "x", op: "send", from: [0], to: [1], after }],
  };
}

test("a communication names the stage it follows, else they follow in order", () => {
  expect(load(sendAfter("b")).communications[0]?.after).toBe(1);
  expect(load(sendAfter(undefined)).communications[0]?.after).toBe(0);
  for (const name of ["c", "nowhere"]) {
    const { diagnostics } = parsePlan(JSON.stringify(sendAfter(name)), "p.json");
    expect(diagnostics.map(({ code }) => code)).toEqual(["communication-after-no-stage"]);
  }
});

test("communications beside degrees are refused", () => {
  const { diagnostics } = parsePlan(
    JSON.stringify({ ...degreesPlan, communications: [] }),
    "p.json",
  );
  expect(diagnostics.map(({ code }) => code)).toEqual(["communications-without-stages"]);
});

test("a world beyond all machines is refused before it is built", () => {
  const parallel = { tensor: 65_536, data: 65_536 };
  const { plan, diagnostics } = parsePlan(JSON.stringify(withDegrees({ parallel })), "p.json");
  expect(plan).toBeUndefined();
  expect(diagnostics.map(({ code }) => code)).toEqual(["world-too-large"]);
});
