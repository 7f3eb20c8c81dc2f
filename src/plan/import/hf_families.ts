// Which reader takes a config.json, by its `model_type`, or by its class where that is missing.

import { bert, roberta } from "./hf_bert.ts";
import { chatglm } from "./hf_chatglm.ts";
import { deepseek, deepseekV2, dots1, glm4Moe, sparseDeepseek } from "./hf_deepseek.ts";
import { deepseekV4 } from "./hf_deepseek_v4.ts";
import type { Family } from "./hf_decoder.ts";
import {
  ernieMoe,
  gptOss,
  llama4,
  minimaxM2,
  mixtral,
  olmoe,
  phimoe,
  qwen2Moe,
  qwen3Moe,
  qwen3VlMoe,
} from "./hf_experts.ts";
import { gemma, gemma2, gemma3, gemma3Defaults } from "./hf_gemma.ts";
import { gemma4, gemma4Defaults } from "./hf_gemma4.ts";
import {
  bloom,
  cohere,
  falcon,
  gpt2,
  gptBigCode,
  gptj,
  gptNeox,
  nemotron,
  opt,
  phi,
  phi3,
  stablelm,
  starcoder2,
} from "./hf_gpt.ts";
import { granite, graniteHybrid, graniteMoe } from "./hf_granite.ts";
import { jamba } from "./hf_jamba.ts";
import { kimiLinear } from "./hf_kimi_linear.ts";
import { qwen35, qwen3Next } from "./hf_linear.ts";
import { mpt } from "./hf_mpt.ts";
import {
  ernie,
  exaone4,
  glm4,
  llama,
  mistral,
  olmo2,
  oneBias,
  qwen2,
  qwen3,
  seedOss,
  smollm,
} from "./hf_llama.ts";

export interface FamilyEntry {
  readonly read: Family;
  readonly architecture: string;
  /** Of the class that writes the config, where a part of a larger config leaves them out. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** A config of its own leaves them out too. */
  readonly alsoAlone?: boolean;
}

const llamaSizes = {
  vocab_size: 32_000,
  hidden_size: 4096,
  intermediate_size: 11_008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
};

const mistralSizes = { ...llamaSizes, intermediate_size: 14_336, num_key_value_heads: 8 };

function entry(
  read: Family,
  architecture: string,
  defaults?: FamilyEntry["defaults"],
): FamilyEntry {
  return { read, architecture, ...(defaults === undefined ? {} : { defaults }) };
}

export const families: Readonly<Record<string, FamilyEntry>> = {
  llama: entry(llama, "LlamaForCausalLM", llamaSizes),
  mistral: entry(mistral, "MistralForCausalLM", mistralSizes),
  ministral: entry(mistral, "MinistralForCausalLM"),
  ministral3: entry(mistral, "Ministral3ForCausalLM"),
  mixtral: entry(mixtral, "MixtralForCausalLM"),
  qwen2: entry(qwen2, "Qwen2ForCausalLM"),
  qwen2_vl: entry(qwen2, "Qwen2VLForConditionalGeneration"),
  qwen2_vl_text: entry(qwen2, "Qwen2VLTextModel"),
  qwen2_5_vl: entry(qwen2, "Qwen2_5_VLForConditionalGeneration"),
  qwen2_5_vl_text: entry(qwen2, "Qwen2_5_VLTextModel"),
  qwen2_moe: entry(qwen2Moe, "Qwen2MoeForCausalLM"),
  qwen3: entry(qwen3, "Qwen3ForCausalLM"),
  qwen3_vl_text: entry(qwen3, "Qwen3VLTextModel"),
  qwen3_moe: entry(qwen3Moe, "Qwen3MoeForCausalLM"),
  qwen3_vl_moe_text: entry(qwen3VlMoe, "Qwen3VLMoeTextModel"),
  qwen3_omni_moe_text: entry(qwen3Moe, "Qwen3OmniMoeThinkerTextModel"),
  qwen3_next: entry(qwen3Next, "Qwen3NextForCausalLM"),
  qwen3_5_text: entry(qwen35, "Qwen3_5ForCausalLM"),
  qwen3_5_moe_text: entry(qwen3Next, "Qwen3_5MoeForCausalLM"),
  deepseek_v2: entry(deepseekV2, "DeepseekV2ForCausalLM"),
  deepseek_v3: entry(deepseek, "DeepseekV3ForCausalLM"),
  kimi_k2: entry(deepseek, "DeepseekV3ForCausalLM"),
  deepseek_v4: entry(deepseekV4, "DeepseekV4ForCausalLM"),
  kimi_linear: entry(kimiLinear, "KimiLinearForCausalLM"),
  deepseek_v32: entry(sparseDeepseek, "DeepseekV32ForCausalLM"),
  glm_moe_dsa: entry(sparseDeepseek, "GlmMoeDsaForCausalLM"),
  glm4_moe_lite: entry(deepseek, "Glm4MoeLiteForCausalLM"),
  dots1: entry(dots1, "Dots1ForCausalLM"),
  glm4_moe: entry(glm4Moe, "Glm4MoeForCausalLM"),
  glm4: entry(glm4, "Glm4ForCausalLM"),
  gpt2: entry(gpt2, "GPT2LMHeadModel"),
  gpt_bigcode: entry(gptBigCode, "GPTBigCodeForCausalLM"),
  gptj: entry(gptj, "GPTJForCausalLM"),
  gpt_neox: entry(gptNeox, "GPTNeoXForCausalLM"),
  gpt_oss: entry(gptOss, "GptOssForCausalLM"),
  bloom: entry(bloom, "BloomForCausalLM"),
  opt: entry(opt, "OPTForCausalLM"),
  mpt: entry(mpt, "MPTForCausalLM"),
  falcon: entry(falcon, "FalconForCausalLM"),
  cohere: entry(cohere, "CohereForCausalLM"),
  cohere2: entry(cohere, "Cohere2ForCausalLM"),
  starcoder2: entry(starcoder2, "Starcoder2ForCausalLM"),
  stablelm: entry(stablelm, "StableLmForCausalLM"),
  nemotron: entry(nemotron, "NemotronForCausalLM"),
  phi: entry(phi, "PhiForCausalLM"),
  phi3: entry(phi3, "Phi3ForCausalLM"),
  phimoe: entry(phimoe, "PhiMoEForCausalLM"),
  gemma: entry(gemma, "GemmaForCausalLM"),
  gemma2: entry(gemma2, "Gemma2ForCausalLM"),
  gemma3_text: { ...entry(gemma3, "Gemma3ForCausalLM", gemma3Defaults), alsoAlone: true },
  gemma4_text: { ...entry(gemma4, "Gemma4ForCausalLM", gemma4Defaults), alsoAlone: true },
  granite: entry(granite, "GraniteForCausalLM"),
  granitemoe: entry(graniteMoe, "GraniteMoeForCausalLM"),
  granitemoeshared: entry(graniteMoe, "GraniteMoeSharedForCausalLM"),
  granitemoehybrid: entry(graniteHybrid, "GraniteMoeHybridForCausalLM"),
  bert: entry(bert, "BertForMaskedLM"),
  roberta: entry(roberta, "RobertaForMaskedLM"),
  "xlm-roberta": entry(roberta, "XLMRobertaForMaskedLM"),
  chatglm: entry(chatglm, "ChatGLMModel"),
  internlm2: entry(oneBias, "InternLM2ForCausalLM"),
  ernie4_5: entry(ernie, "Ernie4_5ForCausalLM"),
  ernie4_5_moe: entry(ernieMoe, "Ernie4_5_MoeForCausalLM"),
  exaone4: entry(exaone4, "Exaone4ForCausalLM"),
  jamba: entry(jamba, "JambaForCausalLM"),
  seed_oss: entry(seedOss, "SeedOssForCausalLM"),
  smollm3: entry(smollm, "SmolLM3ForCausalLM"),
  olmo2: entry(olmo2, "Olmo2ForCausalLM"),
  olmo3: entry(olmo2, "Olmo3ForCausalLM"),
  olmoe: entry(olmoe, "OlmoeForCausalLM"),
  llama4_text: entry(llama4, "Llama4ForCausalLM"),
  minimax_m2: entry(minimaxM2, "MiniMaxM2ForCausalLM"),
};
