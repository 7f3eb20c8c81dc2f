// Counts of public models, held against what is published: of the language model, where it is a part.

import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { importPlan } from "../../src/plan/import/import_plan.ts";
import { whyNotStated } from "../../src/plan/import/parameters_stated.ts";
import { countParameters } from "../../src/plan/parameters.ts";
import { modelOf } from "../../src/plan/stages_from_degrees.ts";
import { codes } from "./imported.ts";
import { publishedModels } from "./published_models.ts";

function counted(text: string) {
  const { file, diagnostics } = importPlan([{ name: "config.json", text }]);
  if (file?.model === undefined) throw new Error(JSON.stringify(diagnostics));
  const { total, active, byPart } = countParameters(modelOf(file.model));
  return { billions: total / 1e9, active: active / 1e9, byPart, model: file.model, diagnostics };
}

function deviation(found: number, published: number): number {
  return Math.abs(found / published - 1);
}

test.each(publishedModels.map((each) => [each.name, each] as const))(
  "%s has as many parameters as published",
  (_name, { config, billions, active }) => {
    const found = counted(JSON.stringify(config));
    expect(deviation(found.billions, billions)).toBeLessThan(0.005);
    expect(deviation(found.active, active ?? found.active)).toBeLessThan(0.005);
    expect(codes(found.diagnostics)).not.toContain("model-not-understood");
  },
);

/** Of files as they are published; towers for images are not counted. */
test.each([
  ["command-r", 34.98],
  ["falcon-7b", 6.92],
  ["gemma-3-27b", 27.01],
  ["gemma-3-4b.text", 3.88],
  ["glm-5", 744],
  ["gpt-oss-120b", 116.83],
  ["kimi-k2.5", 1026.4],
  ["llama3-8b-v5", 8.03],
  ["llama4-maverick", 400.7],
  ["minimax-m2.5", 228.7],
  ["mistral-small-3.2", 23.57],
  ["olmo2-7b", 7.3],
  ["phi-4", 14.66],
  ["phi-4-mini", 3.836],
  ["qwen3-0.6b", 0.596],
  ["qwen3-vl-30b", 30.53],
  ["qwen3.5-35b", 34.66],
  ["starcoder2-7b", 7.17],
])("%s.json: %d billion", async (name, billions) => {
  const found = counted(await readFile(`test/import/models/${name}.json`, "utf8"));
  expect(deviation(found.billions, billions)).toBeLessThan(0.005);
  expect(codes(found.diagnostics)).not.toContain("model-not-understood");
});

/** DeepSeek V4 as far as its config decides sizes; published to two digits. */
test.each([
  {
    name: "deepseek-v4-flash",
    sizes: { hidden_size: 4096, num_hidden_layers: 43, num_attention_heads: 64 },
    ranks: { q_lora_rank: 1024, o_groups: 8, n_routed_experts: 256, moe_intermediate_size: 2048 },
    first: [0, 0],
    billions: 284,
    active: 13,
  },
  {
    name: "deepseek-v4-pro",
    sizes: { hidden_size: 7168, num_hidden_layers: 61, num_attention_heads: 128 },
    ranks: { q_lora_rank: 1536, o_groups: 16, n_routed_experts: 384, moe_intermediate_size: 3072 },
    first: [128, 128],
    billions: 1_600,
    active: 49,
  },
])("$name: $billions billion, $active active", ({ sizes, ranks, first, billions, active }) => {
  const ratios = Array.from(
    { length: sizes.num_hidden_layers },
    (_, layer) => first[layer] ?? (layer % 2 === 0 ? 4 : 128),
  );
  const found = counted(
    JSON.stringify({
      model_type: "deepseek_v4",
      ...sizes,
      ...ranks,
      num_key_value_heads: 1,
      vocab_size: 129_280,
      head_dim: 512,
      o_lora_rank: 1024,
      n_shared_experts: 1,
      num_experts_per_tok: 6,
      compress_ratios: ratios,
      index_n_heads: 64,
      index_head_dim: 128,
      index_topk: 512,
      hc_mult: 4,
      swiglu_limit: 10,
      scoring_func: "sqrtsoftplus",
    }),
  );
  expect(Number(found.billions.toPrecision(billions === 284 ? 3 : 2))).toBe(billions);
  expect(Math.abs(found.active - active)).toBeLessThan(1);
  const kinds = found.model.otherMixers?.map(({ kind }) => kind);
  expect(kinds).toContain("compressed sparse attention");
  expect(kinds).toContain("heavily compressed attention");
  expect(codes(found.diagnostics)).not.toContain("model-not-understood");
});

test("Gemma 4 says of each layer what of it does not run", () => {
  const found = counted(
    JSON.stringify({
      model_type: "gemma4_text",
      num_hidden_layers: 12,
      num_kv_shared_layers: 6,
      use_double_wide_mlp: true,
      hidden_size: 64,
      intermediate_size: 128,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      head_dim: 16,
      global_head_dim: 32,
      vocab_size: 100,
      vocab_size_per_layer_input: 100,
      hidden_size_per_layer_input: 8,
    }),
  );
  expect(found.model.otherMixers).toEqual([
    {
      kind: "attention of 32-wide heads",
      layers: [5],
      parameters: 32 * (2 * 4 * 64 + 2 * 2 * 64 + 2),
    },
    {
      kind: "attention of 32-wide heads on keys of layers before",
      layers: [11],
      parameters: 32 * (2 * 4 * 64 + 1),
    },
    {
      kind: "attention on keys of layers before",
      layers: [6, 7, 8, 9, 10],
      parameters: 16 * (2 * 4 * 64 + 1),
    },
  ]);
  expect(found.byPart.mlp + (found.model.otherParameters?.["mlps-of-twice-the-width"] ?? 0)).toBe(
    (12 + 6) * 3 * 64 * 128,
  );
});

test("of gpt-oss-120b 5.1 billion are active beside the embedding, as its authors count", async () => {
  const { active, byPart } = counted(
    await readFile("test/import/models/gpt-oss-120b.json", "utf8"),
  );
  expect(deviation(active - byPart.embedding / 1e9, 5.13)).toBeLessThan(0.005);
});

function layersWhere(layers: number, isOne: (layer: number) => boolean): number[] {
  return Array.from({ length: layers }, (_, layer) => layer).filter(isOne);
}

test("what the parts of a larger model are is said, and where its class fills in", async () => {
  const { diagnostics, model } = counted(
    await readFile("test/import/models/gemma-3-27b.json", "utf8"),
  );
  expect(model).toMatchObject({
    vocabulary: 262_208,
    slidingWindow: { tokens: 1024, layers: layersWhere(62, (layer) => layer % 6 !== 5) },
    positions: {
      kind: "rotary",
      base: 1_000_000,
      localBase: 10_000,
      scaling: { kind: "linear", factor: 8 },
    },
  });
  expect(codes(diagnostics)).toEqual(
    expect.arrayContaining(["other-parts-not-expressible", "class-defaults"]),
  );
});

test("layers are counted by type where the config lists them", async () => {
  const oss = counted(await readFile("test/import/models/gpt-oss-120b.json", "utf8"));
  expect(oss.model.slidingWindow).toEqual({
    tokens: 128,
    layers: layersWhere(36, (layer) => layer % 2 === 0),
  });
  const hybrid = counted(await readFile("test/import/models/qwen3.5-35b.json", "utf8"));
  expect(hybrid.model.gatedDelta?.layers).toEqual(layersWhere(40, (layer) => layer % 4 !== 3));
});

const llama = {
  model_type: "llama",
  hidden_size: 4096,
  intermediate_size: 14_336,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  vocab_size: 128_256,
};

test.each([
  ["a size", { mixture_width: 512 }, true],
  ["a switch that is on", { use_side_memory: true }, true],
  ["a switch that is off", { use_side_memory: false }, false],
  ["nothing", { side_memory: null }, false],
  ["a key of generation", { top_p: 0.9 }, false],
])(
  "%s that no reader knows: the count is stated only where it is the model's",
  (_what, more, open) => {
    const { diagnostics } = counted(JSON.stringify({ ...llama, ...more }));
    const said = diagnostics.find(({ code }) => code === "model-not-understood");
    expect(said !== undefined).toBe(open);
    const why = open
      ? `that of your model, which the key "${Object.keys(more)[0]}" may change`
      : "";
    expect(whyNotStated(diagnostics) ?? "").toContain(why);
  },
);
