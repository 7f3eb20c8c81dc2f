// Keys of a config.json that change neither sizes nor work: tokens, training, generation, and what every class
// writes whether it uses it or not.

const patterns = [
  /_token_id$/,
  /_token_index$/,
  /dropout(_prob)?$/,
  /_pdrop$/,
  /_(eps|epsilon|norm_eps)$/,
  /^initializer_(range|factor)$/,
  /^(architectures|auto_map|_?name_or_path|transformers_version|model_type|use_cache|cache_implementation)$/,
  /^(pretraining_tp|ep_size|aux_loss_alpha|seq_aux|router_(aux|z)_loss_coef|output_router_logits)$/,
  /^(router_jitter_noise|input_jitter_noise|summary_.*|task_specific_params|scale_attn_.*|reorder_and_upcast_attn)$/,
  /^(_?attn_implementation.*|attention_type|rope_theta|rotary_emb_base|rope_interleave|rope_ratio|rotary)$/,
  /^(max_position_embeddings|layer_types|gradient_checkpointing|bos_token|eos_token|n_positions|seq_length)$/,
  /^(model_max_length|max_sequence_length|max_seq_len|torch_dtype|dtype|use_bfloat16|torchscript|tf_legacy_loss)$/,
  /^(return_dict|return_dict_in_generate|output_(hidden_states|attentions|scores)|pruned_heads)$/,
  /^(chunk_size_feed_forward|is_(encoder_)?decoder|is_composition|tokenizer_class|prefix|problem_type)$/,
  /^(max_length|min_length|do_sample|early_stopping|num_beams|num_beam_groups|diversity_penalty|temperature)$/,
  /^(top_[kp]|typical_p|(repetition|length)_penalty|(encoder_)?no_repeat_ngram_size|num_return_sequences)$/,
  /^(remove_invalid_values|id2label|label2id|num_labels|finetuning_task|embd_layer_norm|unsloth_.*)$/,
  /^(slow_but_exact|offset_alibi|ignore_index|mlp_only_layers|norm_topk_prob|vocab_size_per_layer_input)$/,
  /^(sliding_window_size|time_step_.*|_remove_final_layer_norm|attention_softmax_in_fp32|rope_local_base_freq|query_pre_attn_scalar)$/,
];

export function isWithoutBearing(key: string): boolean {
  return patterns.some((pattern) => pattern.test(key));
}

/** Parts of a model beside its language model. */
export function isOtherPart(key: string): boolean {
  return (
    /(^|_)(vision|audio|speech|image|video|talker|code2wav|projector|mm|vit|perceiver|vokens?)(_|$)/.test(
      key,
    ) ||
    /^(spatial_merge_size|temporal_patch_size|patch_size|select_layer|downsample_ratio|ps_version|dynamic_image_size|use_thumbnail|min_dynamic_patch|max_dynamic_patch|template|media_.*|boi_.*|eoi_.*|deepstack_.*)$/.test(
      key,
    )
  );
}

/** A setting that is switched off adds nothing, whatever it would. */
export function isSwitchedOff(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    value === false ||
    value === 0 ||
    value === "" ||
    (typeof value === "object" && Object.keys(value).length === 0)
  );
}
