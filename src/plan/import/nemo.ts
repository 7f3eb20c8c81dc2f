// NeMo: a job's YAML. Its model has the keys of Megatron-LM under names of its own, and the tool's own defaults.

import type { Diagnostic } from "../diagnostic.ts";
import { type ImportedFields, readFields } from "./fields.ts";
import { commandOf, entriesOf, type FlagEntry } from "./flags_file.ts";
import type { ToolCommand } from "./commands_in.ts";
import { withHydraWords } from "./hydra_words.ts";
import { type Given, noLaunch } from "./invocation.ts";
import { listUnreadKeys } from "./list_keys.ts";
import { importMegatron } from "./megatron.ts";
import { type Imported, importNote, type Source } from "./note.ts";

export function importNemo(source: Source): Imported {
  const { fields, diagnostics } = readFields(source);
  return fields === undefined
    ? importMegatron(commandOf("megatron", source.name, [], { diagnostics }))
    : fromFields(source.name, fields, []);
}

/** A job as its launcher changes it by words, over the file where there is one. */
export function importNemoCommand(command: ToolCommand, file: Source | undefined): Imported {
  const read = file === undefined ? undefined : readFields(file);
  const bears = (key: string) =>
    /^trainer\.(devices|num_nodes|precision)$/.test(key) || !withoutBearing.test(key);
  const { fields, diagnostics } = withHydraWords(command, read?.fields, nameOf, bears);
  const named = command.words.find(({ text }) => /^(--config-name|-cn)(=|$)/.test(text));
  const only = importNote(
    "info",
    "config-named",
    "the job's sizes are in a file that this command only names",
    { position: command.position(named?.offset ?? command.offset) },
    "give that file as a source too",
  );
  return fromFields(
    command.source,
    fields,
    [
      ...command.launch.diagnostics,
      ...command.diagnostics,
      ...(read?.diagnostics ?? []),
      ...diagnostics,
      ...(file === undefined && named !== undefined ? [only] : []),
    ],
    command.launch.ranks,
    file !== undefined,
  );
}

/** Degrees of NeMo 2 are its strategy's, and its model's sizes those of a config. */
function nameOf(key: string): string {
  const [, own] = /^(?:trainer\.strategy|model\.config)\.(\w+)$/.exec(key) ?? [];
  return own === undefined ? (otherNames[key] ?? key) : `model.${own}`;
}

/** NeMo 2 and Megatron Bridge have other objects for some keys. */
const otherNames: Readonly<Record<string, string>> = {
  "train.micro_batch_size": "model.micro_batch_size",
  "train.global_batch_size": "model.global_batch_size",
  "data.micro_batch_size": "model.micro_batch_size",
  "data.global_batch_size": "model.global_batch_size",
  "data.seq_length": "model.seq_length",
  "dataset.sequence_length": "model.seq_length",
  "ddp.use_distributed_optimizer": "model.use_distributed_optimizer",
  "ddp.num_distributed_optimizer_instances": "model.num_distributed_optimizer_instances",
};

function fromFields(
  source: string,
  fields: ImportedFields,
  before: readonly Diagnostic[],
  started?: Given,
  isWhole = true,
): Imported {
  const model = fields.within(["model"]);
  const devices =
    fields.peek("trainer", "devices") === -1 ? undefined : fields.count("trainer", "devices");
  const nodes = fields.count("trainer", "num_nodes") ?? 1;
  const precision = fields.value("trainer", "precision");
  const entries = [
    ...flagsOf(model),
    ...precisionFlags(precision, fields),
    ...optimizerFlags(model, nodes),
  ];
  for (const key of ["mcore_gpt", "devices"]) model.value(key);
  listUnreadKeys(fields, withoutBearing);
  const ranks = devices === undefined ? started?.count : devices * nodes;
  if (started !== undefined && ranks !== undefined && started.count !== ranks) {
    const message = `the launcher starts ${started.count} ranks, but the trainer has ${ranks}`;
    fields.report(
      "error",
      "degrees-contradict",
      message,
      ["trainer", "devices"],
      "mend one of the two",
    );
  }
  const imported = importMegatron(
    commandOf("megatron", source, entries, {
      program: "pretrain_gpt.py",
      diagnostics: [...before, ...fields.diagnostics],
      ...(ranks === undefined
        ? {}
        : { launch: { ...noLaunch, ranks: { count: ranks, offset: 0 } } }),
    }),
  );
  const diagnostics = imported.diagnostics.map((each) =>
    before.includes(each) ? each : inKeys(each),
  );
  // What a recipe has besides, the words over it do not say.
  const { dtype, ...workload } = imported.workload;
  const isKnown = isWhole || precision !== undefined;
  return {
    ...imported,
    kind: "nemo",
    workload: isKnown && dtype !== undefined ? { ...workload, dtype } : workload,
    diagnostics,
  };
}

/** What is said of Megatron-LM's flags, in the keys that the file has for them. */
function inKeys(diagnostic: Diagnostic): Diagnostic {
  const named = (text: string): string =>
    text.replaceAll(/--([a-z][a-z0-9-]*)/g, (_, flag: string) => `model.${keyOfFlag(flag)}`);
  const { message, hint, path } = diagnostic;
  return {
    ...diagnostic,
    message: named(message),
    path: path.map((part) => (typeof part === "string" ? named(part) : part)),
    ...(hint === undefined ? {} : { hint: named(hint) }),
  };
}

/** Keys that Megatron-LM has as they are. */
const same =
  /^(num_layers|hidden_size|ffn_hidden_size|num_attention_heads|kv_channels|micro_batch_size|global_batch_size|(tensor|pipeline|expert)_model_parallel_size|context_parallel_size|expert_tensor_parallel_size|sequence_parallel|make_vocab_size_divisible_by|max_position_embeddings|position_embedding_type|moe_router_topk|moe_ffn_hidden_size|moe_shared_expert_intermediate_size|moe_layer_freq|moe_grouped_gemm|qk_layernorm|rotary_base|rotary_interleaved|vocab_size|layernorm_epsilon|rampup_batch_size|init_method_std|hidden_dropout|attention_dropout|use_flash_attention|use_distributed_optimizer|num_distributed_optimizer_instances)$/;

const renamed: Readonly<Record<string, string>> = {
  encoder_seq_length: "seq_length",
  seq_length: "seq_length",
  num_moe_experts: "num_experts",
  virtual_pipeline_model_parallel_size: "num_virtual_stages_per_pipeline_rank",
  activations_checkpoint_granularity: "recompute_granularity",
  activations_checkpoint_method: "recompute_method",
  activations_checkpoint_num_layers: "recompute_num_layers",
  rotary_percentage: "rotary_percent",
  seq_len_interpolation_factor: "rotary_seq_len_interpolation_factor",
};

function keyOfFlag(flag: string): string {
  const name = flag.replaceAll("-", "_");
  return Object.entries(renamed).find(([, theirs]) => theirs === name)?.[0] ?? name;
}

function flagsOf(model: ImportedFields): FlagEntry[] {
  const flag = (key: string, name: string, value: unknown): FlagEntry => {
    model.value(key);
    return { flag: `--${name.replaceAll("_", "-")}`, value, position: model.position([key]) };
  };
  const flags = entriesOf(model).flatMap(({ flag: key, value }): FlagEntry[] => {
    if (key === "use_flash_attention")
      return [flag(key, "use-flash-attn", value === true || undefined)];
    const name = Object.hasOwn(renamed, key) ? renamed[key] : same.test(key) ? key : undefined;
    // Switches that are off, and numbers that mean none.
    const isOff = value === false || (key.startsWith("virtual") && value === 1);
    return name === undefined || isOff
      ? name === undefined
        ? []
        : [flag(key, name, undefined)]
      : [flag(key, name, value)];
  });
  // A command that gives the layout alone is about a model that has its own.
  if (!sizes.some((key) => model.peek(key) !== undefined)) return flags;
  const groups = model.count("num_query_groups");
  const activation = model.text("activation") ?? "gelu";
  const norm = model.text("normalization") ?? "layernorm1p";
  const isShared = model.value("share_embeddings_and_output_weights") !== false;
  const on = (name: string, when: boolean, key: string): FlagEntry[] =>
    when ? [flag(key, name, true)] : [];
  return [
    ...flags,
    ...(groups === undefined
      ? []
      : [
          flag("num_query_groups", "group-query-attention", true),
          flag("num_query_groups", "num-query-groups", groups),
        ]),
    ...on("swiglu", /swiglu/.test(activation), "activation"),
    ...on("squared-relu", activation === "squared-relu", "activation"),
    ...on("apply-layernorm-1p", norm === "layernorm1p", "normalization"),
    flag("normalization", "normalization", norm.startsWith("rms") ? "RMSNorm" : "LayerNorm"),
    ...on("disable-bias-linear", model.value("bias") === false, "bias"),
    ...on("untie-embeddings-and-output-weights", !isShared, "share_embeddings_and_output_weights"),
  ];
}

const sizes = ["num_layers", "hidden_size", "num_attention_heads"] as const;

function precisionFlags(precision: unknown, fields: ImportedFields): FlagEntry[] {
  const name = /bf16/.test(String(precision))
    ? "--bf16"
    : /16/.test(String(precision))
      ? "--fp16"
      : undefined;
  return name === undefined
    ? []
    : [{ flag: name, value: true, position: fields.position(["trainer", "precision"]) }];
}

/** The optimizer that shards its state over the data ranks, or over those of each node. */
function optimizerFlags(model: ImportedFields, nodes: number): FlagEntry[] {
  if (model.peek("optim", "name") !== "distributed_fused_adam") return [];
  const flag = (key: string, name: string, value: unknown): FlagEntry => ({
    flag: name,
    value,
    position: model.position(["optim", key]),
  });
  return [
    flag("name", "--use-distributed-optimizer", true),
    ...(model.peek("optim", "distribute_within_nodes") === true
      ? [flag("distribute_within_nodes", "--num-distributed-optimizer-instances", nodes)]
      : []),
  ];
}

const withoutBearing =
  /^(name|restore_from_path|exp_manager|run|hydra|defaults|cluster.*|base_results_dir)(\.|$)|^trainer\.(?!strategy)|^model\.(tokenizer|data|optim|nsys_profile|seed|hidden_dropout|attention_dropout|ffn_dropout|init_method_std|use_scaled_init_method|resume_from_checkpoint|gradient_as_bucket_view|sync_batch_comm|native_amp.*|hysteresis|fp32_residual_connection|megatron_amp_O2|grad_allreduce_chunk_size_mb|grad_div_ar_fusion|gradient_accumulation_fusion|bias_activation_fusion|bias_dropout_add_fusion|masked_softmax_fusion|get_attention_mask_from_fusion|apply_rope_fusion|persist_layer_norm|headscale|do_layer_norm_weight_decay|apply_query_key_layer_scaling|fp16_lm_cross_entropy|batch_p2p_comm|onnx_safe|transformer_engine|use_emha|mcore_gpt|name|pre_process|post_process|use_cpu_initialization|activations_checkpoint_layers_per_pipeline|num_micro_batches_with_partial_activation_checkpoints|dist_ckpt.*|enable_megatron_timers|overlap_p2p_comm|moe_router_load_balancing_type|moe_aux_loss_coeff|tp_only_amax_red|reduce_amax|fp8_.*)(\.|$)/;
