// Qwen3-Next and Qwen3.5: of four layers three have gated linear attention (Gated DeltaNet) in place of attention.

import type { ModelFile } from "../schema_model.ts";
import { decoder, type Family, llamaDefaults, withFeatures, withParameters } from "./hf_decoder.ts";
import { predictionLayersLeftOut, qwenMoe } from "./hf_experts.ts";
import type { ImportedFields } from "./fields.ts";
import { layersOfType } from "./hf_windows.ts";

export const qwen3Next: Family = (fields) => {
  const model = qwenMoe(fields, { qkNorm: true });
  const sharedFfn = fields.needed("shared_expert_intermediate_size");
  if (model?.moe === undefined || sharedFfn === undefined) return undefined;
  return hybrid(fields, { ...model, moe: { ...model.moe, sharedFfn, sharedGate: true } });
};

export const qwen35: Family = (fields) => {
  const model = decoder(fields, llamaDefaults);
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
  const listed = layersOfType(fields, /linear/);
  for (const key of ["mamba_ssm_dtype", "output_gate_type"]) fields.value(key);
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
  const { hidden, layers, heads, headDim = hidden / heads } = model;
  const [keys, values] = [keyHeads * keyDim, valueHeads * valueDim];
  const whole = listed ?? layers - Math.floor(layers / interval);
  const parameters =
    // Queries, keys, values and a gate; two numbers per value head that steer decay and update.
    hidden * (2 * keys + 2 * values + 2 * valueHeads) +
    kernel * (2 * keys + values) +
    // Bias of the time step and decay per head, a norm of one head, and the way out.
    2 * valueHeads +
    valueDim +
    values * hidden;
  return withFeatures(
    withParameters(
      { ...model, linearAttention: { layers: whole, parameters } },
      { "attention-gate": gated ? (layers - whole) * hidden * heads * headDim : 0 },
    ),
    ...(gated ? ["gated-attention"] : []),
    "unit-offset-norm",
  );
}
