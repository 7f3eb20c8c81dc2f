// Checkpoints as families of models lay them out, written from the whole weights of a plan with two blocks. They say
// by hand what src/weights/names says as views.

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { parsePlan } from "../../src/plan/load.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { type TensorToWrite, writeSafetensors } from "../../src/weights/write_safetensors.ts";
import { named, rowsOfWeight, stacked, transposed, type WholeWeight } from "./hashed_weights.ts";

const model = {
  layers: 2,
  hidden: 24,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  ffn: 20,
  gated: true,
  vocabulary: 37,
};

/** A plan file of two blocks. */
export function givenPlan(more: object, parallel: object, gpus: number): object {
  return {
    name: "given",
    hardware: { gpus },
    workload: { batch: 4, sequence: 3, seed: 11 },
    model: { ...model, ...more },
    parallel,
  };
}

export function planOf(more: object, parallel: object, gpus: number): Plan {
  const text = JSON.stringify(givenPlan(more, parallel, gpus));
  const { plan, diagnostics } = parsePlan(text, "given.json");
  expect(diagnostics).toEqual([]);
  return plan!;
}

/** A weight of the plan on one rank, by its name in programs. */
export type Weight = (name: string) => WholeWeight;

/** How a family stores what a plan has. */
export type Layout = (weight: Weight) => TensorToWrite[];

export const blocks = [0, 1];

/** Layers of a plan without pipeline: embedding, then six to a block. */
export function inBlock(block: number, index: number, op: string): string {
  return `blocks/${1 + 6 * block + index}.${op}`;
}

export function attentionOf(block: number): string {
  return inBlock(block, 1, "attention");
}
export function mlpOf(block: number): string {
  return inBlock(block, 4, "mlp");
}
function moeOf(block: number): string {
  return inBlock(block, 4, "moe");
}

/** A linear layer as PyTorch has it. */
export function linear(weight: Weight, name: string): WholeWeight {
  return transposed(weight(`${name}/weight`));
}

/** What is outside of attention and MLP, named as Llama does. */
const frame: Layout = (weight) => [
  named("model.embed_tokens.weight", weight("blocks/0.embedding/weight")),
  named("model.norm.weight", weight("blocks/13.norm/gain")),
  named("lm_head.weight", linear(weight, "blocks/14.linear")),
  ...blocks.flatMap((block) => [
    named(
      `model.layers.${block}.input_layernorm.weight`,
      weight(`${inBlock(block, 0, "norm")}/gain`),
    ),
    named(
      `model.layers.${block}.post_attention_layernorm.weight`,
      weight(`${inBlock(block, 3, "norm")}/gain`),
    ),
  ]),
];

const llamaAttention: Layout = (weight) =>
  blocks.flatMap((block) =>
    (["q", "k", "v", "o"] as const).map((part) =>
      named(
        `model.layers.${block}.self_attn.${part}_proj.weight`,
        linear(weight, `${attentionOf(block)}/${part === "o" ? "output" : part}`),
      ),
    ),
  );

export const llama: Layout = (weight) => [
  ...frame(weight),
  ...llamaAttention(weight),
  ...blocks.flatMap((block) =>
    ["gate", "up", "down"].map((part) =>
      named(
        `model.layers.${block}.mlp.${part}_proj.weight`,
        linear(weight, `${mlpOf(block)}/${part}`),
      ),
    ),
  ),
];

/** Queries, keys and values as one, and gate and up. */
export const phi3: Layout = (weight) => [
  ...frame(weight),
  ...blocks.flatMap((block) => {
    const own = (name: string): WholeWeight => linear(weight, name);
    const attention = attentionOf(block);
    const mlp = mlpOf(block);
    const qkv = stacked(["q", "k", "v"].map((part) => own(`${attention}/${part}`)));
    return [
      named(`model.layers.${block}.self_attn.qkv_proj.weight`, qkv),
      named(`model.layers.${block}.self_attn.o_proj.weight`, own(`${attention}/output`)),
      named(
        `model.layers.${block}.mlp.gate_up_proj.weight`,
        stacked([own(`${mlp}/gate`), own(`${mlp}/up`)]),
      ),
      named(`model.layers.${block}.mlp.down_proj.weight`, own(`${mlp}/down`)),
    ];
  }),
];

/** Norms hold what they add to one: a third of what the plan has. */
export const gemma: Layout = (weight) =>
  llama(weight).map((tensor) =>
    tensor.name.includes("norm")
      ? { ...tensor, values: tensor.values.map((value) => value / 3) }
      : tensor,
  );

/** [in, out], queries, keys and values side by side. */
export const gpt2: Layout = (weight) => [
  named("transformer.wte.weight", weight("blocks/0.embedding/weight")),
  named("transformer.ln_f.weight", weight("blocks/13.norm/gain")),
  named("transformer.ln_f.bias", weight("blocks/13.norm/bias")),
  named("lm_head.weight", linear(weight, "blocks/14.linear")),
  ...blocks.flatMap((block) => {
    const own = `transformer.h.${block}`;
    const qkv = ["q", "k", "v"].map((part) => linear(weight, `${attentionOf(block)}/${part}`));
    return [
      ...(["gain", "bias"] as const).flatMap((part) => {
        const suffix = part === "gain" ? "weight" : "bias";
        return [
          named(`${own}.ln_1.${suffix}`, weight(`${inBlock(block, 0, "norm")}/${part}`)),
          named(`${own}.ln_2.${suffix}`, weight(`${inBlock(block, 3, "norm")}/${part}`)),
        ];
      }),
      named(`${own}.attn.c_attn.weight`, transposed(stacked(qkv))),
      named(`${own}.attn.c_proj.weight`, weight(`${attentionOf(block)}/output/weight`)),
      named(`${own}.mlp.c_fc.weight`, weight(`${mlpOf(block)}/up/weight`)),
      named(`${own}.mlp.c_proj.weight`, weight(`${mlpOf(block)}/down/weight`)),
    ];
  }),
];

/** Queries, keys and values of each head one below the other. */
export const neox: Layout = (weight) => [
  named("gpt_neox.embed_in.weight", weight("blocks/0.embedding/weight")),
  named("gpt_neox.final_layer_norm.weight", weight("blocks/13.norm/gain")),
  named("gpt_neox.final_layer_norm.bias", weight("blocks/13.norm/bias")),
  named("embed_out.weight", linear(weight, "blocks/14.linear")),
  ...blocks.flatMap((block) => {
    const own = `gpt_neox.layers.${block}`;
    const parts = ["q", "k", "v"].map((part) => linear(weight, `${attentionOf(block)}/${part}`));
    const { heads, headDim } = model;
    const byHead = Array.from({ length: heads }, (_, head) =>
      parts.map((part) => rowsOfWeight(part, head * headDim, headDim)),
    );
    return [
      ...(["gain", "bias"] as const).flatMap((part) => {
        const suffix = part === "gain" ? "weight" : "bias";
        return [
          named(`${own}.input_layernorm.${suffix}`, weight(`${inBlock(block, 0, "norm")}/${part}`)),
          named(
            `${own}.post_attention_layernorm.${suffix}`,
            weight(`${inBlock(block, 3, "norm")}/${part}`),
          ),
        ];
      }),
      named(`${own}.attention.query_key_value.weight`, stacked(byHead.flat())),
      named(`${own}.attention.dense.weight`, linear(weight, `${attentionOf(block)}/output`)),
      named(`${own}.mlp.dense_h_to_4h.weight`, linear(weight, `${mlpOf(block)}/up`)),
      named(`${own}.mlp.dense_4h_to_h.weight`, linear(weight, `${mlpOf(block)}/down`)),
    ];
  }),
];

/** Queries of each group of heads, its key and its value one below the other. */
export const falcon: Layout = (weight) => [
  named("transformer.word_embeddings.weight", weight("blocks/0.embedding/weight")),
  named("transformer.ln_f.weight", weight("blocks/13.norm/gain")),
  named("transformer.ln_f.bias", weight("blocks/13.norm/bias")),
  named("lm_head.weight", linear(weight, "blocks/14.linear")),
  ...blocks.flatMap((block) => {
    const own = `transformer.h.${block}`;
    const part = (name: string): WholeWeight => linear(weight, `${attentionOf(block)}/${name}`);
    const { heads, kvHeads, headDim } = model;
    const queries = (heads / kvHeads) * headDim;
    const byGroup = Array.from({ length: kvHeads }, (_, group) => [
      rowsOfWeight(part("q"), group * queries, queries),
      rowsOfWeight(part("k"), group * headDim, headDim),
      rowsOfWeight(part("v"), group * headDim, headDim),
    ]);
    return [
      ...(["gain", "bias"] as const).flatMap((which) => {
        const suffix = which === "gain" ? "weight" : "bias";
        return [
          named(`${own}.ln_attn.${suffix}`, weight(`${inBlock(block, 0, "norm")}/${which}`)),
          named(`${own}.ln_mlp.${suffix}`, weight(`${inBlock(block, 3, "norm")}/${which}`)),
        ];
      }),
      named(`${own}.self_attention.query_key_value.weight`, stacked(byGroup.flat())),
      named(`${own}.self_attention.dense.weight`, part("output")),
      named(`${own}.mlp.dense_h_to_4h.weight`, linear(weight, `${mlpOf(block)}/up`)),
      named(`${own}.mlp.dense_4h_to_h.weight`, linear(weight, `${mlpOf(block)}/down`)),
    ];
  }),
];

export const experts = 3;

/** The matrix of one expert, [in, out]. */
function expertOf({ shape, values }: WholeWeight, expert: number): WholeWeight {
  const [, k = 1, n = 1] = shape;
  return { shape: [k, n], values: values.slice(expert * k * n, (expert + 1) * k * n) };
}

/** Each expert's matrices on their own. */
export const mixtral: Layout = (weight) => [
  ...frame(weight),
  ...llamaAttention(weight),
  ...blocks.flatMap((block) => {
    const own = `model.layers.${block}.block_sparse_moe`;
    const names = { w1: "gate", w2: "down", w3: "up" };
    return [
      named(`${own}.gate.weight`, linear(weight, `${moeOf(block)}/router`)),
      ...Array.from({ length: experts }, (_, expert) =>
        Object.entries(names).map(([name, part]) => {
          const all = weight(`${moeOf(block)}/experts/${part}/weight`);
          return named(
            `${own}.experts.${expert}.${name}.weight`,
            transposed(expertOf(all, expert)),
          );
        }),
      ).flat(),
    ];
  }),
];

/** All experts in one, [in, out], gates and ups side by side or turn by turn. */
export function allInOne(part: string, router: string, isInterleaved: boolean): Layout {
  return (weight) => [
    ...frame(weight),
    ...llamaAttention(weight),
    ...blocks.flatMap((block) => {
      const own = `model.layers.${block}.${part}`;
      const all = (which: string): WholeWeight => weight(`${moeOf(block)}/experts/${which}/weight`);
      const packed = Array.from({ length: experts }, (_, expert) => {
        const gate = transposed(expertOf(all("gate"), expert));
        const up = transposed(expertOf(all("up"), expert));
        const turns = Array.from({ length: gate.shape[0] ?? 0 }, (_row, row) => [
          rowsOfWeight(gate, row, 1),
          rowsOfWeight(up, row, 1),
        ]).flat();
        return transposed(stacked(isInterleaved ? turns : [gate, up]));
      });
      const [rows = 0, columns = 0] = packed[0]?.shape ?? [];
      return [
        named(`${own}.${router}.weight`, linear(weight, `${moeOf(block)}/router`)),
        named(`${own}.experts.gate_up_proj`, {
          shape: [experts, rows, columns],
          values: stacked(packed).values,
        }),
        named(`${own}.experts.down_proj`, all("down")),
      ];
    }),
  ];
}

export async function checkpointOf(
  layout: Layout,
  weights: ReadonlyMap<string, WholeWeight>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "shardbench-given-"));
  const tensors = layout((name) => {
    const weight = weights.get(name);
    if (weight === undefined) throw new Error(`${name} of ${[...weights.keys()].join(" ")}`);
    return weight;
  });
  const half = Math.ceil(tensors.length / 2);
  await writeSafetensors(join(folder, "model-1.safetensors"), tensors.slice(0, half));
  await writeSafetensors(join(folder, "model-2.safetensors"), tensors.slice(half));
  return folder;
}
