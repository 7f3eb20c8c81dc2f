// ChatGLM 2 and 3 and GLM-4 as first published: Llama's blocks under names of their own, rotary positions on half a head.

import { decoder, type Family, llamaDefaults, withFeatures } from "./hf_decoder.ts";

export const chatglm: Family = (given) => {
  const padded = given.count("padded_vocab_size");
  const fields = padded === undefined ? given : given.within([], { vocab_size: padded });
  const channels = fields.count("kv_channels");
  const ratio = fields.number("rope_ratio") ?? 1;
  const norm = fields.flag("rmsnorm") === false ? "layer" : "rms";
  const model = decoder(fields, {
    ...llamaDefaults,
    norm,
    rotary: { base: 10_000 * ratio, share: 0.5, interleaved: true },
  });
  const isShared = fields.flag("multi_query_attention") === true;
  const groups = fields.count("multi_query_group_num") ?? 1;
  const biased = fields.flag("add_bias_linear") === true;
  const ofQkv = biased || fields.flag("add_qkv_bias") === true;
  const isBehindNorm = fields.flag("apply_residual_connection_post_layernorm") === true;
  const endsPlain = fields.flag("post_layer_norm") === false;
  for (const key of [
    "seq_length",
    "original_rope",
    "apply_query_key_layer_scaling",
    "attention_softmax_in_fp32",
    "fp32_residual_connection",
    "bias_dropout_fusion",
    "interleaved_qkv",
  ])
    fields.value(key);
  if (model === undefined) return undefined;
  const { positions, ...rest } = model;
  // Half of a head as wide as the config says.
  const turned = channels === undefined ? {} : { dims: channels / 2 };
  const biases = [
    ...(ofQkv ? (["qkv"] as const) : []),
    ...(biased ? (["attention-output", "mlp"] as const) : []),
  ];
  return withFeatures(
    {
      ...rest,
      ...(channels === undefined ? {} : { headDim: channels }),
      ...(isShared ? { kvHeads: groups } : {}),
      ...(biases.length === 0 ? {} : { biases }),
      positions: { kind: "rotary", ...positions, ...turned },
    },
    ...(isBehindNorm ? ["residual-behind-norm"] : []),
    ...(endsPlain ? ["no-last-norm"] : []),
  );
};
