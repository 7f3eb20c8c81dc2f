// A Hugging Face config.json: which family it is of, what it says of the model, and what else it says.

import type { Path } from "../document.ts";
import { suggest } from "../suggestion.ts";
import { deepseek } from "./hf_deepseek.ts";
import type { Family } from "./hf_decoder.ts";
import { mixtral, qwen2Moe, qwen3Moe } from "./hf_experts.ts";
import { gemma, gemma2, gemma3 } from "./hf_gemma.ts";
import { gpt2, gptNeox, phi, phi3 } from "./hf_gpt.ts";
import { llama, mistral, qwen2, qwen3 } from "./hf_llama.ts";
import { type JsonFields, readJson } from "./json_fields.ts";
import { type Imported, type ImportedWorkload, shown, type Source } from "./note.ts";

/** By `model_type`, and by the class in `architectures` where that is missing. */
const families: Readonly<Record<string, { readonly read: Family; readonly architecture: string }>> =
  {
    llama: { read: llama, architecture: "LlamaForCausalLM" },
    mistral: { read: mistral, architecture: "MistralForCausalLM" },
    mixtral: { read: mixtral, architecture: "MixtralForCausalLM" },
    qwen2: { read: qwen2, architecture: "Qwen2ForCausalLM" },
    qwen2_moe: { read: qwen2Moe, architecture: "Qwen2MoeForCausalLM" },
    qwen3: { read: qwen3, architecture: "Qwen3ForCausalLM" },
    qwen3_moe: { read: qwen3Moe, architecture: "Qwen3MoeForCausalLM" },
    deepseek_v2: { read: deepseek, architecture: "DeepseekV2ForCausalLM" },
    deepseek_v3: { read: deepseek, architecture: "DeepseekV3ForCausalLM" },
    gpt2: { read: gpt2, architecture: "GPT2LMHeadModel" },
    gpt_neox: { read: gptNeox, architecture: "GPTNeoXForCausalLM" },
    phi: { read: phi, architecture: "PhiForCausalLM" },
    phi3: { read: phi3, architecture: "Phi3ForCausalLM" },
    gemma: { read: gemma, architecture: "GemmaForCausalLM" },
    gemma2: { read: gemma2, architecture: "Gemma2ForCausalLM" },
    gemma3_text: { read: gemma3, architecture: "Gemma3ForCausalLM" },
  };

/** Keys that change neither sizes nor work. */
const withoutBearing = [
  /_token_id$/,
  /dropout$/,
  /_pdrop$/,
  /^initializer_(range|factor)$/,
  /_(eps|epsilon|norm_eps)$/,
  /^(architectures|auto_map|_name_or_path|transformers_version|use_cache|cache_implementation)$/,
  /^(pretraining_tp|ep_size|aux_loss_alpha|seq_aux|router_aux_loss_coef|output_router_logits)$/,
  /^(router_jitter_noise|summary_.*|task_specific_params|scale_attn_.*|reorder_and_upcast_attn)$/,
  /^(_attn_implementation.*|attention_type|rope_theta|rotary_emb_base|rope_interleave)$/,
  /^(max_position_embeddings|layer_types|gradient_checkpointing|bos_token|eos_token)$/,
];

export const importHuggingFace = (source: Source): Imported => {
  const nothing = { kind: "huggingface", source: source.name, layout: {}, workload: {} } as const;
  const { fields, diagnostics } = readJson(source);
  if (fields === undefined) return { ...nothing, optimizations: [], assumed: [], diagnostics };
  const type = familyOf(fields);
  const model = type === undefined ? undefined : families[type]?.read(fields);
  const workload = type === undefined ? {} : workloadOf(fields);
  const name = fields.text("_name_or_path");
  if (type !== undefined) listTheRest(fields);
  return {
    ...nothing,
    ...(name === undefined || name === "" ? {} : { name }),
    ...(type === undefined ? {} : { family: type }),
    ...(model === undefined ? {} : { model }),
    featurePosition: (feature) => fields.position(keyOfFeature(fields, feature)),
    workload,
    optimizations: [],
    assumed: [],
    diagnostics: fields.diagnostics,
  };
};

const familyOf = (fields: JsonFields): string | undefined => {
  const type = fields.text("model_type");
  const architecture = fields.value("architectures", 0);
  if (type !== undefined && Object.hasOwn(families, type)) return type;
  const byClass = Object.keys(families).find((key) => families[key]?.architecture === architecture);
  if (byClass !== undefined) return byClass;
  const known = Object.keys(families);
  const found = type ?? architecture;
  if (found === undefined) {
    const hint = `give it: ${known.join(", ")}`;
    fields.report("error", "missing-key", "model_type is missing", ["model_type"], hint);
    return undefined;
  }
  const near = suggest(typeof found === "string" ? found : "", known);
  const nested = fields.value("text_config") !== undefined;
  fields.report(
    "error",
    "unknown-architecture",
    `no importer knows the model type ${shown(found)}`,
    type === undefined ? ["architectures", 0] : ["model_type"],
    nested
      ? "give the object under text_config as a file of its own"
      : near === undefined
        ? `known are ${known.join(", ")}`
        : `did you mean ${near}? Known are ${known.join(", ")}`,
  );
  return undefined;
};

const workloadOf = (fields: JsonFields): ImportedWorkload => {
  const older = fields.text("torch_dtype");
  const dtype = fields.text("dtype") ?? older;
  const key = fields.value("dtype") === undefined ? "torch_dtype" : "dtype";
  const maxSequence = fields.count("max_position_embeddings") ?? fields.count("n_positions");
  if (dtype === "bfloat16") {
    fields.report("info", "bf16-as-f16", "bfloat16 weights are run as f16, which is as wide", [
      key,
    ]);
  } else if (dtype !== undefined && dtype !== "float16" && dtype !== "float32") {
    const message = `weights of type ${shown(dtype)} have no place in a plan`;
    fields.report("warning", "dtype-not-expressible", message, [key]);
  }
  const width = dtype === "float32" ? "f32" : dtype === undefined ? undefined : "f16";
  return {
    ...(width === undefined ? {} : { dtype: width }),
    ...(maxSequence === undefined ? {} : { maxSequence }),
  };
};

const listTheRest = (fields: JsonFields): void => {
  const method = fields.value("quantization_config", "quant_method");
  if (fields.value("quantization_config") !== undefined) {
    fields.report(
      "warning",
      "quantization-not-expressible",
      `weights are quantized (${shown(method)}); the plan counts them at the workload's dtype`,
      ["quantization_config"],
    );
  }
  const rest = fields.unread();
  const silent = rest.filter((key) => withoutBearing.some((pattern) => pattern.test(key)));
  if (silent.length > 0) {
    const message = `these keys change neither sizes nor work: ${silent.join(", ")}`;
    fields.report("info", "keys-without-bearing", message, []);
  }
  for (const key of rest) {
    if (silent.includes(key)) continue;
    const message = `the key ${shown(key)} is not understood, and not in the plan`;
    fields.report("warning", "key-not-understood", message, [key]);
  }
};

/** The key that a feature comes from; the whole file where a model type has it without being told. */
const keyOfFeature = (fields: JsonFields, feature: string): Path => {
  const keys =
    featureKeys[feature] ?? (feature.startsWith("rotary-scaling") ? ["rope_scaling"] : []);
  return [[...keys, "model_type"].find((key) => fields.value(key) !== undefined) ?? ""];
};

const featureKeys: Readonly<Record<string, readonly string[]>> = {
  "rotary-positions": ["rope_theta", "rotary_emb_base", "max_position_embeddings"],
  "learned-positions": ["n_positions", "n_ctx"],
  biases: ["attention_bias"],
  "qk-norm": ["qk_layernorm"],
  "parallel-residual": ["use_parallel_residual"],
  "sliding-window": ["sliding_window"],
  "latent-attention": ["kv_lora_rank"],
  "mlp-activation": ["hidden_activation", "hidden_act", "activation_function"],
  "shared-experts": ["n_shared_experts", "shared_expert_intermediate_size"],
  "routing-bias": ["topk_method"],
  "sigmoid-routing": ["scoring_func"],
  "routing-within-groups": ["n_group"],
  "scaled-expert-weights": ["routed_scaling_factor"],
  "partly-rotary-heads": ["rotary_pct", "partial_rotary_factor"],
  "attention-softcap": ["attn_logit_softcapping"],
  "logit-softcap": ["final_logit_softcapping"],
};
