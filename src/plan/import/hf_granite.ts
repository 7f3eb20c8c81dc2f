// Granite: Llama with factors at embeddings, residuals, attention and logits; with experts; with Mamba-2 in most layers.

import type { ModelFile } from "../schema_model.ts";
import { type Family, withFeatures } from "./hf_decoder.ts";
import { denseLayersOf } from "./hf_experts.ts";
import type { ImportedFields } from "./fields.ts";
import { llama, scaleBeside1 } from "./hf_llama.ts";
import { indicesOfType } from "./hf_windows.ts";

export const granite: Family = (fields) => {
  const model = llama(fields);
  const embeddingScale = fields.number("embedding_multiplier") ?? 1;
  const residualScale = fields.number("residual_multiplier") ?? 1;
  const attentionScale = fields.number("attention_multiplier") ?? 1;
  const divisor = fields.number("logits_scaling") ?? 1;
  return (
    model && {
      ...model,
      attentionScale,
      ...scaleBeside1("embeddingScale", embeddingScale),
      ...scaleBeside1("residualScale", residualScale),
      ...scaleBeside1("logitScale", 1 / divisor),
    }
  );
};

/** Experts as wide as the config says an MLP is, and in some models one that every token passes. */
export const graniteMoe: Family = (fields) => {
  const model = granite(fields);
  const experts = fields.needed("num_local_experts");
  const topK = fields.needed("num_experts_per_tok");
  if (model === undefined || experts === undefined || topK === undefined) return undefined;
  return { ...model, moe: { experts, topK, ...expertsOf(fields, model), renormalise: true } };
};

function expertsOf(fields: ImportedFields, { ffn, hidden }: ModelFile) {
  const sharedFfn = fields.count("shared_intermediate_size");
  return { ffn: ffn ?? 4 * hidden, ...(sharedFfn === undefined ? {} : { sharedFfn }) };
}

/** Every layer has the shared network, some attention, most Mamba-2 in its place. */
export const graniteHybrid: Family = (fields) => {
  const model = granite(fields);
  const experts = fields.number("num_local_experts") ?? 0;
  const topK = fields.number("num_experts_per_tok") ?? 0;
  const shared = fields.needed("shared_intermediate_size");
  const positioned = fields.text("position_embedding_type") ?? "rope";
  const normalized = fields.text("normalization_function") ?? "rmsnorm";
  if (model === undefined || shared === undefined) return undefined;
  const { positions: _unused, ...bare } = model;
  const whole: ModelFile = {
    ...(positioned === "rope" ? model : bare),
    ...(experts > 0 ? {} : { ffn: shared }),
  };
  // Its class takes all where none are listed.
  const layers = indicesOfType(fields, model, /mamba/) ?? denseLayersOf(model.layers, () => true);
  const parameters = mamba2Of(fields, model);
  if (parameters === undefined) return undefined;
  return withFeatures(
    {
      ...whole,
      ...(layers.length === 0 ? {} : { otherMixers: [{ layers, parameters, kind: "Mamba-2" }] }),
      ...(experts > 0
        ? { moe: { experts, topK, ...expertsOf(fields, model), renormalise: true } }
        : {}),
    },
    ...(normalized === "rmsnorm" ? [] : [`norm-${normalized.slice(0, 40)}`]),
  );
};

/**
 * Of one layer (Dao and Gu, 2024): a projection to values, their gate, what writes and reads the state, and steps; a
 * convolution; of each head a decay, a bias and a skip; a norm; and out.
 */
function mamba2Of(fields: ImportedFields, { hidden }: ModelFile): number | undefined {
  const heads = fields.needed("mamba_n_heads");
  const state = fields.needed("mamba_d_state");
  const taps = fields.count("mamba_d_conv") ?? 4;
  const groups = fields.count("mamba_n_groups") ?? 1;
  const inner = (fields.count("mamba_expand") ?? 2) * hidden;
  const isConvBiased = fields.flag("mamba_conv_bias") ?? true;
  const isBiased = fields.flag("mamba_proj_bias") ?? false;
  for (const key of ["mamba_d_head", "mamba_chunk_size"]) fields.value(key);
  if (heads === undefined || state === undefined) return undefined;
  const columns = inner + 2 * groups * state;
  const projected = inner + columns + heads;
  return (
    hidden * (projected + inner) +
    columns * (taps + (isConvBiased ? 1 : 0)) +
    3 * heads +
    inner +
    (isBiased ? projected + hidden : 0)
  );
}
