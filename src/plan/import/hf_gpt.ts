// The GPT line: GPT-2 with learned positions, GPT-NeoX with attention and MLP side by side, Phi.

import { activationOf } from "./activation.ts";
import { decoder, type Family, scaledPositions, withFeatures } from "./hf_decoder.ts";
import { llama, withWindow } from "./hf_llama.ts";

/** Names its sizes differently, and has all biases but the head's. */
export const gpt2: Family = (fields) => {
  const layers = fields.needed("n_layer");
  const hidden = fields.needed("n_embd");
  const heads = fields.needed("n_head");
  const vocabulary = fields.needed("vocab_size");
  const older = fields.count("n_ctx");
  const count = fields.count("n_positions") ?? older ?? 1024;
  const inner = fields.count("n_inner");
  const tied = fields.flag("tie_word_embeddings") ?? true;
  const activation = fields.text("activation_function") ?? "gelu_new";
  if (
    layers === undefined ||
    hidden === undefined ||
    heads === undefined ||
    vocabulary === undefined
  ) {
    return undefined;
  }
  return {
    layers,
    hidden,
    heads,
    ffn: inner ?? 4 * hidden,
    gated: false,
    ...activationOf(activation, false),
    norm: "layer",
    vocabulary,
    ...(tied ? { tiedEmbeddings: true } : {}),
    positions: { kind: "learned", count },
    biases: ["qkv", "attention-output", "mlp"],
  };
};

const plainDefaults = { tied: false, gated: false, norm: "layer", activation: "gelu" } as const;

export const gptNeox: Family = (fields) => {
  const model = decoder(fields, plainDefaults);
  if (model === undefined) return undefined;
  const parallel = fields.flag("use_parallel_residual") ?? true;
  const biased = fields.flag("attention_bias") ?? true;
  const rotary = fields.number("rotary_pct") ?? 0.25;
  return withFeatures(
    {
      ...model,
      biases: biased ? ["qkv", "attention-output", "mlp"] : ["mlp"],
      ...(parallel ? { parallelResidual: "own-norms" } : {}),
    },
    ...(rotary < 1 ? ["partly-rotary-heads"] : []),
    ...scaledPositions(fields),
  );
};

/** Phi-1, 1.5 and 2: one norm for both, and even the head has a bias. */
export const phi: Family = (fields) => {
  const model = decoder(fields, { ...plainDefaults, activation: "gelu_new" });
  if (model === undefined) return undefined;
  const rotary = fields.number("partial_rotary_factor") ?? 0.5;
  const qkNorm = fields.flag("qk_layernorm") === true;
  return withFeatures(
    {
      ...model,
      biases: ["qkv", "attention-output", "mlp", "head"],
      parallelResidual: "shared-norm",
      ...(qkNorm ? { qkNorm } : {}),
    },
    ...(rotary < 1 ? ["partly-rotary-heads"] : []),
    ...scaledPositions(fields),
  );
};

/** Phi-3 is built like Llama; its projections are fused, which changes no size. */
export const phi3: Family = (fields) => {
  const model = llama(fields);
  fields.value("original_max_position_embeddings");
  return model && withWindow(fields, model, model.layers);
};
