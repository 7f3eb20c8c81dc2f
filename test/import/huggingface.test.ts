import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { canRun, checkPlan } from "../../src/check/check_plan.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { lower } from "../../src/program/lower.ts";
import { codes, configOf, errorsAt, planOf } from "./imported.ts";

const names = (await readdir("test/import/fixtures"))
  .filter((file) => file.endsWith(".json"))
  .map((file) => file.replace(".json", ""));

function notRun(found: readonly { code: string }[]) {
  return codes(found as never)
    .filter((code) => code.endsWith("-not-runnable"))
    .map((code) => code.replace("-not-runnable", ""));
}

test.each(names)(
  "%s: the plan is sound but for what no layer runs, and everything is listed",
  async (name) => {
    const source = await configOf(name);
    const { plan, document, file, diagnostics } = planOf([source]);
    const found = checkPlan(plan, document);
    expect(found.filter(({ severity }) => severity === "error")).toEqual([]);
    const notRunHere = codes(found).filter((code) => code === "layer-not-runnable");
    expect(notRunHere).toHaveLength(notRun(diagnostics).length);
    expect(canRun(found)).toBe(notRunHere.length === 0);
    expect(file.notes?.map(({ code }) => code)).toEqual(codes(diagnostics));
    for (const { position } of diagnostics) expect(position?.file).toBe("config.json");
    expect(file.assumed).toEqual([
      "hardware.gpus",
      "workload.batch",
      "workload.sequence",
      ...(source.text.includes("torch_dtype") ? [] : ["workload.dtype"]),
    ]);
  },
);

test.each(names)("%s: what is left can run, and what was left out is listed", async (name) => {
  const source = await configOf(name);
  const { plan, document, diagnostics } = planOf([source], { runnable: true });
  expect(canRun(checkPlan(plan, document))).toBe(true);
  const leftOut = codes(diagnostics).filter((code) => code.endsWith("-left-out"));
  const features = notRun(planOf([source]).diagnostics).map((feature) => `${feature}-left-out`);
  expect(leftOut).toEqual(expect.arrayContaining(features));
});

test("a model that runs whole has as many weights in its program as parameters", async () => {
  let whole = 0;
  for (const name of names) {
    const { plan, document } = planOf([await configOf(name)]);
    if (!canRun(checkPlan(plan, document))) continue;
    whole += 1;
    const { total, inProgram } = estimatePlan(plan).parameters;
    expect([name, inProgram]).toEqual([name, total]);
  }
  expect(whole).toBeGreaterThan(3);
});

test("a runnable import has a program", async () => {
  const { plan } = planOf([await configOf("gpt2")], { runnable: true });
  expect(lower(plan).ranks).toHaveLength(1);
});

test.each([
  ["deepseek-v3", []],
  ["gemma-2-9b", []],
  ["gpt2", []],
  ["phi-2", []],
  ["qwen1.5-moe-a2.7b", []],
])("%s has features that no layer runs, each with a code", async (name, features) => {
  expect(notRun(planOf([await configOf(name)]).diagnostics)).toEqual(features);
});

test.each([
  [
    "gemma-2-9b",
    {
      activation: "gelu",
      postNorms: true,
      unitOffsetNorms: true,
      normEpsilon: 1e-6,
      embeddingScale: Math.sqrt(3584),
      logitSoftcap: 30,
    },
  ],
  ["gpt2", { positions: { kind: "learned", count: 1024 }, norm: "layer" }],
  ["gpt-neox-20b", { parallelResidual: "own-norms", activation: "gelu" }],
  [
    "deepseek-v3",
    {
      moe: {
        scoring: "sigmoid",
        routingBias: true,
        groupLimit: { groups: 8, topGroups: 4, scoredBy: "two-best" },
        routedScale: 2.5,
        renormalise: true,
        sharedFfn: 2048,
        denseLayers: [0, 1, 2],
      },
    },
  ],
  ["qwen1.5-moe-a2.7b", { moe: { sharedFfn: 5632, sharedGate: true } }],
])("%s: what layers run is in fields", async (name, fields) => {
  expect(planOf([await configOf(name)]).plan.model).toMatchObject(fields);
});

const small = {
  hidden_size: 64,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  vocab_size: 100,
  intermediate_size: 96,
};

test.each([
  [
    { model_type: "granite", ...small, embedding_multiplier: 12, residual_multiplier: 0.22 },
    { embeddingScale: 12, residualScale: 0.22 },
  ],
  [
    { model_type: "granite", ...small, attention_multiplier: 0.25, logits_scaling: 8 },
    { logitScale: 0.125 },
  ],
  [
    { model_type: "cohere", ...small, logit_scale: 0.0625, layer_norm_eps: 1e-5 },
    { norm: "layer", normBias: false, parallelResidual: "shared-norm", logitScale: 0.0625 },
  ],
  [
    { model_type: "olmo2", ...small, rms_norm_eps: 1e-6 },
    { postNorms: "only", normEpsilon: 1e-6 },
  ],
  [
    { model_type: "bloom", ...small },
    { embeddingNorm: true, activation: "gelu" },
  ],
  [
    { model_type: "nemotron", ...small, hidden_act: "relu2" },
    { activation: "relu2", gated: false, unitOffsetNorms: true },
  ],
  [
    { model_type: "opt", ...small, ffn_dim: 96, max_position_embeddings: 32 },
    { activation: "relu", positions: { kind: "learned", count: 34, offset: 2 } },
  ],
  [{ model_type: "gpt_neox", ...small, hidden_act: "gelu" }, { activation: "gelu-erf" }],
  [{ model_type: "phi", ...small, hidden_act: "gelu_new" }, { activation: "gelu" }],
] as const)("%o is read into fields", (config, fields) => {
  const { plan } = planOf([{ name: "config.json", text: JSON.stringify(config) }]);
  expect(plan.model).toMatchObject(fields);
});

test("the model is described as it is", async () => {
  const { file } = planOf([await configOf("deepseek-v3")]);
  expect(file.model).toMatchObject({
    layers: 61,
    headDim: 128,
    latent: { queryRank: 1536, keyValueRank: 512, rotaryDim: 64, valueDim: 128 },
    moe: { experts: 256, topK: 8, denseLayers: [0, 1, 2], sharedFfn: 2048, routingBias: true },
  });
  expect(planOf([await configOf("gemma-2-9b")]).file.model).toMatchObject({
    headDim: 256,
    gated: true,
    activation: "gelu",
    tiedEmbeddings: true,
    postNorms: true,
    slidingWindow: { tokens: 4096, layers: Array.from({ length: 21 }, (_, i) => 2 * i) },
    attentionSoftcap: 50,
  });
  const { file: neox } = planOf([await configOf("gpt-neox-20b")]);
  expect(neox.model).toMatchObject({ gated: false, norm: "layer", parallelResidual: "own-norms" });
});

test("a feature is said where the config gives it", () => {
  const config = { model_type: "qwen3", ...small, head_dim: 16, rope_scaling: { type: "x" } };
  const text = JSON.stringify(config, null, 2);
  const line = text.split("\n").findIndex((each) => each.includes("rope_scaling")) + 1;
  const { diagnostics } = planOf([{ name: "config.json", text }]);
  const scaling = diagnostics.find(({ code }) => code === "rotary-scaling-x-not-runnable");
  expect(scaling?.position).toMatchObject({ file: "config.json", line });
});

test("the plan is pretty JSON that names its schema and what it assumes", async () => {
  const { text, file } = planOf([await configOf("gpt2")], { schema: "./plan.schema.json" });
  expect(text).toMatch(/^\{\n {2}"\$schema": "\.\/plan\.schema\.json",\n/);
  expect(text).toContain('  "hardware": { "gpus": 1 },\n');
  expect(JSON.parse(text)).toEqual(file);
  for (const line of text.split("\n").filter((each) => !each.includes("message"))) {
    expect(line.length).toBeLessThanOrEqual(100);
  }
});

async function changed(change: (config: Record<string, unknown>) => void, name = "llama-3-8b") {
  const config = JSON.parse((await configOf(name)).text) as Record<string, unknown>;
  change(config);
  return { name: "config.json", text: JSON.stringify(config, null, 2) };
}

test("an unknown architecture is refused with those that are known", async () => {
  const [found] = errorsAt([await changed((config) => (config["model_type"] = "lama"))]);
  expect(found).toBeUndefined();
  const source = await changed((config) => {
    config["model_type"] = "mamba";
    config["architectures"] = ["MambaForCausalLM"];
  });
  expect(errorsAt([source])).toMatchObject([
    { code: "unknown-architecture", path: ["model_type"], position: { line: 14 } },
  ]);
});

test("every missing and mistyped key is said at once", async () => {
  const source = await changed((config) => {
    delete config["hidden_size"];
    config["num_hidden_layers"] = "32";
    config["num_attention_heads"] = -1;
  });
  expect(errorsAt([source]).map(({ code, path }) => [code, path[0]])).toEqual([
    ["wrong-type", "num_hidden_layers"],
    ["missing-key", "hidden_size"],
    ["wrong-type", "num_attention_heads"],
  ]);
});

test("a key that nobody knows is listed where it stands", async () => {
  const source = await changed((config) => (config["warp_size"] = 7));
  const { diagnostics } = planOf([source]);
  expect(diagnostics.find(({ code }) => code === "model-not-understood")).toMatchObject({
    path: ["warp_size"],
    position: { file: "config.json" },
  });
});

test("text that is not JSON is refused where it breaks", () => {
  const source = { name: "config.json", text: '{\n  "model_type": "llama",\n  hidden_size: 1\n}' };
  expect(errorsAt([source])).toMatchObject([
    { code: "not-json", position: { file: "config.json", line: 3, column: 3 } },
  ]);
  expect(errorsAt([{ name: "config.json", text: "[1, 2]" }])).toMatchObject([
    { code: "wrong-type" },
  ]);
  expect(errorsAt([{ name: "notes.txt", text: "hello" }])).toMatchObject([
    { code: "source-not-recognised" },
  ]);
  expect(errorsAt([])).toMatchObject([{ code: "no-source" }]);
});

test("sizes that no plan takes are refused in the words of the plan", async () => {
  const source = await changed((config) => (config["num_hidden_layers"] = 20_000));
  expect(errorsAt([source])).toMatchObject([{ code: "out-of-range", path: ["model", "layers"] }]);
});
