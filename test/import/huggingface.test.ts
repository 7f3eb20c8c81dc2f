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
  ["llama-3-8b", []],
  ["llama-3.2-1b", []],
  ["mistral-7b-v0.1", []],
  ["mixtral-8x7b", []],
  ["qwen2.5-7b", []],
  ["qwen1.5-moe-a2.7b", ["shared-experts"]],
  ["qwen3-30b-a3b", []],
  ["gpt2", ["learned-positions", "biases"]],
  ["gpt-neox-20b", ["biases", "parallel-residual"]],
  ["phi-2", ["biases", "parallel-residual"]],
  [
    "gemma-2-9b",
    ["post-norms", "mlp-activation", "embedding-scale", "unit-offset-norm", "logit-softcap"],
  ],
  [
    "deepseek-v3",
    [
      "shared-experts",
      "routing-bias",
      "sigmoid-routing",
      "routing-within-groups",
      "scaled-expert-weights",
    ],
  ],
])("%s has features that no layer runs, each with a code", async (name, features) => {
  expect(notRun(planOf([await configOf(name)]).diagnostics)).toEqual(features);
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

test("a feature is said where the config gives it", async () => {
  const source = await configOf("gemma-2-9b");
  const line =
    source.text.split("\n").findIndex((each) => each.includes("final_logit_softcapping")) + 1;
  const { diagnostics } = planOf([source]);
  const cap = diagnostics.find(({ code }) => code === "logit-softcap-not-runnable");
  expect(cap?.position).toMatchObject({ file: "config.json", line });
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
