// Qwen3-Next and Qwen3.5: of four layers three have gated linear attention (Gated DeltaNet) in place of attention.

import type { ModelFile } from "../schema_model.ts";
import { decoder, type Family, llamaDefaults, withFeatures } from "./hf_decoder.ts";
import { denseLayersOf, predictionLayersLeftOut, qwenMoe } from "./hf_experts.ts";
import type { ImportedFields } from "./fields.ts";
import { allBut, indicesOfType } from "./hf_windows.ts";

/** Where the config is silent, a quarter of each head is turned. */
const rotary = { share: 0.25 };

export const qwen3Next: Family = (fields) => {
  const model = qwenMoe(fields, { qkNorm: true }, true, rotary);
  const sharedFfn = fields.needed("shared_expert_intermediate_size");
  if (model?.moe === undefined || sharedFfn === undefined) return undefined;
  return hybrid(fields, {
    ...model,
    moe: { ...model.moe, sharedFfn, sharedGate: true },
  });
};

export const qwen35: Family = (fields) => {
  const model = decoder(fields, { ...llamaDefaults, rotary });
  if (model === undefined) return undefined;
  return hybrid(fields, { ...model, qkNorm: true });
};

function hybrid(fields: ImportedFields, model: ModelFile): ModelFile | undefined {
  const keyHeads = fields.needed("linear_num_key_heads");
  const valueHeads = fields.needed("linear_num_value_heads");
  const keyDim = fields.needed("linear_key_head_dim");
  const valueDim = fields.needed("linear_value_head_dim");
  const kernel = fields.count("linear_conv_kernel_dim") ?? 4;
  const interval = fields.count("full_attention_interval") ?? 4;
  const gated = fields.flag("attn_output_gate") ?? true;
  const listed = indicesOfType(fields, model, /linear/);
  const gate = fields.text("output_gate_type") ?? "silu";
  fields.value("mamba_ssm_dtype");
  if (fields.value("mtp_num_hidden_layers") !== undefined) {
    predictionLayersLeftOut(fields, "mtp_num_hidden_layers");
    fields.value("mtp_use_dedicated_embeddings");
  }
  if (
    keyHeads === undefined ||
    valueHeads === undefined ||
    keyDim === undefined ||
    valueDim === undefined
  ) {
    return undefined;
  }
  const layers = listed ?? denseLayersOf(model.layers, allBut(interval));
  return withFeatures(
    {
      ...model,
      unitOffsetNorms: true,
      ...(gated ? { attentionOutputGate: true } : {}),
      ...(layers.length === 0
        ? {}
        : { gatedDelta: { layers, keyHeads, valueHeads, keyDim, valueDim, kernel } }),
    },
    ...(["silu", "swish"].includes(gate) ? [] : [`activation-${gate.slice(0, 40)}-of-gates`]),
  );
}
