import { expect, test } from "vitest";
import { parsePlan } from "../../../src/plan/load.ts";
import { estimatePlan } from "../../../src/program/estimate.ts";
import { checked, degreesPlan, errorsOf, found, withDegrees } from "../../plan/checked.ts";

test("control: a model of what our layers do is not refused", () => {
  const model = { activation: "gelu", vocabulary: 128, moe: { experts: 6, denseLayers: [0] } };
  expect(errorsOf(withDegrees({ model }))).toEqual([]);
});

test.each([
  { biases: ["mlp", "experts", "router", "head"], activation: "silu" },
  { gated: true, activation: "gelu-erf", postNorms: "only", embeddingNorm: true },
  { parallelResidual: "shared-norm", norm: "layer", normBias: false, residualScale: 0.5 },
  { vocabulary: 12, positions: { kind: "learned", count: 9 }, logitSoftcap: 30, logitScale: 0.1 },
])("control: nor is %o", (model) => {
  const plan = withDegrees({ model });
  expect(errorsOf(plan)).toEqual([]);
  expect(found(plan, "layer-not-runnable")).toBeUndefined();
});

test.each([
  ["positions", { positions: { kind: "learned" } }],
  ["positions", { vocabulary: undefined, positions: { kind: "learned", count: 9 } }],
  ["otherMixers.0", { otherMixers: [{ layers: 1, parameters: 12 }] }],
  ["postNorms", { postNorms: true, parallelResidual: "own-norms" }],
])("a model with %s is described, but not run", (field, model) => {
  const plan = withDegrees({ model });
  expect(errorsOf(plan)).toEqual([]);
  expect(found(plan, "layer-not-runnable")).toMatchObject({
    severity: "warning",
    path: ["model", ...field.split(".").map((key) => (key === "0" ? 0 : key))],
  });
});

test("of copies of experts and features in words each is said by itself", () => {
  const moe = { experts: 6, redundantExperts: 2, sharedFfn: 64, routingBias: true };
  const model = { moe, otherFeatures: ["sparse-mixer-routing", "attention-temperature"] };
  const paths = checked(withDegrees({ model })).flatMap(({ code, path }) =>
    code === "layer-not-runnable" ? [path.join(".")] : [],
  );
  expect(paths).toEqual([
    "model.moe.redundantExperts",
    "model.otherFeatures.0",
    "model.otherFeatures.1",
  ]);
});

test("switched-off features are no features", () => {
  expect(errorsOf(withDegrees({ model: { biases: [], qkNorm: false, postNorms: false } }))).toEqual(
    [],
  );
});

function parametersOf(model: Record<string, unknown>): number {
  const written = withDegrees({ model, parallel: { tensor: 1, expert: 1 }, hardware: { gpus: 1 } });
  const { plan } = parsePlan(JSON.stringify(written), "plan.json");
  if (plan === undefined) throw new Error("must load");
  return estimatePlan(plan).parameters.inProgram;
}

test("layers without experts have a dense MLP instead", () => {
  const { hidden, ffn } = { hidden: 32, ffn: 64 };
  const all = { ...degreesPlan.model, moe: { experts: 6 } };
  const one = { ...all, moe: { experts: 6, denseLayers: [1] } };
  const perExpert = 2 * hidden * ffn;
  expect(parametersOf(all) - parametersOf(one)).toBe(5 * perExpert + 6 * hidden);
});

test("latent attention and shared experts have the parameters that they are", () => {
  const plain = { heads: 4, headDim: 8, moe: { experts: 6 } };
  const latent = { queryRank: 12, keyValueRank: 8, rotaryDim: 4, valueDim: 8 };
  const projections = 32 * 12 + 12 * 4 * 12 + 32 * (8 + 4) + 8 * 4 * (8 + 8) + 4 * 8 * 32;
  const norms = 12 + 8;
  expect(parametersOf({ ...plain, latent }) - parametersOf(plain)).toBe(
    2 * (projections + norms - 4 * 32 * 32),
  );
  const shared = { ...plain, moe: { experts: 6, sharedFfn: 48 } };
  expect(parametersOf(shared) - parametersOf(plain)).toBe(2 * 2 * 32 * 48);
});

const delta = { layers: [0], keyHeads: 2, valueHeads: 4, keyDim: 8, valueDim: 4, kernel: 3 };

test.each([
  ["control", {}, undefined, []],
  ["a key dimension that fills no quads", { keyDim: 6 }, "layer-not-runnable", ["keyDim"]],
  ["the widest key dimension", { keyDim: 1024 }, undefined, []],
  ["a key dimension wider than that", { keyDim: 1028 }, "layer-not-runnable", ["keyDim"]],
  ["values that share no keys", { valueHeads: 5 }, "kv-heads-do-not-divide-heads", ["keyHeads"]],
  ["one key head on two ranks", { keyHeads: 1 }, "group-does-not-divide-heads", ["keyHeads"]],
])("linear attention with %s", (_, more, code, path) => {
  const plan = withDegrees({ model: { gatedDelta: { ...delta, ...more } } });
  const said = checked(plan).filter(({ severity }) => severity !== "info");
  expect(said.map((each) => [each.code, each.path])).toEqual(
    code === undefined ? [] : [[code, ["model", "gatedDelta", ...path]]],
  );
});

test("linear attention keeps no states between the steps of a plan that serves", () => {
  const workload = { mode: "serving", inputTokens: 8, outputTokens: 4 };
  const plan = withDegrees({ workload, model: { gatedDelta: delta } });
  expect(found(plan, "layer-not-runnable")?.message).toContain("does not keep its states");
});
