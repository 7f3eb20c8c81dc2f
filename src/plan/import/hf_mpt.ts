// MPT: layer norms, a plain MLP, positions as slopes; settings of attention stand in an object of their own.

import type { ModelFile } from "../schema_model.ts";
import { decoder, type DecoderDefaults, type Family, withFeatures } from "./hf_decoder.ts";

const defaults: DecoderDefaults = { tied: true, gated: false, norm: "layer", activation: "gelu" };

/** No biases where the config is silent. */
export const mpt: Family = (fields) => {
  const ratio = fields.number("expansion_ratio") ?? 4;
  const model = decoder(fields, { ...defaults, ffnPerHidden: ratio });
  const max = fields.count("max_seq_len");
  const attention = fields.within(["attn_config"]);
  const alibi = attention.flag("alibi") ?? true;
  const kind = attention.text("attn_type") ?? "multihead_attention";
  const biased = fields.flag("no_bias") === false;
  const groups = attention.count("kv_n_heads");
  const isSloped = alibi && (attention.number("alibi_bias_max") ?? 8) !== 8;
  const isClipped = (attention.number("clip_qkv") ?? 0) !== 0;
  const isNormed = attention.flag("qk_ln") === true;
  fields.value("attn_config");
  for (const key of [
    "learned_pos_emb",
    "norm_type",
    "init_config",
    "logit_scale",
    "embedding_fraction",
    "init_device",
    "verbose",
    "ffn_config",
  ])
    fields.value(key);
  if (model === undefined) return undefined;
  const rotary = attention.value("rope") === true;
  const attentionScale = attention.number("softmax_scale");
  const base = attention.number("rope_theta");
  const whole: ModelFile = {
    ...model,
    ...(attentionScale === undefined ? {} : { attentionScale }),
    kvHeads: groups ?? (kind === "multiquery_attention" ? 1 : model.heads),
    ...(biased ? { biases: ["qkv", "attention-output", "mlp"] } : {}),
    ...(biased ? {} : { normBias: false }),
    positions: alibi
      ? { kind: "alibi" }
      : rotary
        ? { kind: "rotary", ...(base === undefined ? {} : { base }) }
        : { kind: "learned", ...(max === undefined ? {} : { count: max }) },
  };
  return withFeatures(
    whole,
    ...(isSloped ? ["scaled-slopes"] : []),
    ...(isClipped ? ["clipped-queries-keys-values"] : []),
    ...(isNormed ? ["layer-norm-of-queries-and-keys"] : []),
  );
};
