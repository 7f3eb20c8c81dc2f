// Jamba: one layer in eight with attention, without positions, all others with Mamba; every other MLP of experts.

import type { ModelFile } from "../schema_model.ts";
import { decoder, type Family, llamaDefaults } from "./hf_decoder.ts";
import { denseLayersKey, denseLayersOf } from "./hf_experts.ts";
import type { ImportedFields } from "./fields.ts";

export const jamba: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
  if (model === undefined) return undefined;
  const { positions: _none, ...bare } = model;
  const isAttention = everyNth(fields, "attn_layer_period", 8, "attn_layer_offset", 4);
  const layers = denseLayersOf(bare.layers, (layer) => !isAttention(layer));
  const whole: ModelFile =
    layers.length === 0
      ? bare
      : { ...bare, otherMixers: [{ kind: "Mamba", layers, parameters: mambaOf(fields, bare) }] };
  const experts = fields.count("num_experts") ?? 16;
  const topK = fields.count("num_experts_per_tok") ?? 2;
  const hasExperts = everyNth(fields, "expert_layer_period", 2, "expert_layer_offset", 1);
  if (experts === 1) return whole;
  const dense = denseLayersOf(bare.layers, (layer) => !hasExperts(layer));
  return { ...whole, moe: { experts, topK, renormalise: false, ...denseLayersKey(dense) } };
};

function everyNth(
  fields: ImportedFields,
  periodKey: string,
  usualPeriod: number,
  offsetKey: string,
  usualOffset: number,
): (layer: number) => boolean {
  const period = fields.count(periodKey) ?? usualPeriod;
  const offset = fields.number(offsetKey) ?? usualOffset;
  return (layer) => layer % period === offset;
}

/**
 * Of one layer (Gu and Dao, 2023): in, to values and their gate; a convolution; steps through their rank, and what writes and
 * reads the state; the decays of the state and a skip; norms of the three; and out.
 */
function mambaOf(fields: ImportedFields, { hidden }: ModelFile): number {
  const state = fields.count("mamba_d_state") ?? 16;
  const taps = fields.count("mamba_d_conv") ?? 4;
  const inner = (fields.count("mamba_expand") ?? 2) * hidden;
  const written = fields.value("mamba_dt_rank");
  const rank = typeof written === "number" ? written : Math.ceil(hidden / 16);
  const isConvBiased = fields.flag("mamba_conv_bias") ?? true;
  const isBiased = fields.flag("mamba_proj_bias") ?? false;
  for (const key of ["use_mamba_kernels", "mamba_inner_layernorms"]) fields.value(key);
  return (
    3 * hidden * inner +
    inner * (taps + (isConvBiased ? 1 : 0)) +
    inner * (rank + 2 * state) +
    inner * (rank + 1) +
    inner * (state + 1) +
    (rank + 2 * state) +
    (isBiased ? 2 * inner + hidden : 0)
  );
}
