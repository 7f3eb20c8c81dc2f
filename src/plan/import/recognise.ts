// Of which kind a file is, by the keys that it has. Command lines are known by the program that they start.

import { type ImportedFields, formatOf, isObject, readFields } from "./fields.ts";
import type { Source, SourceKind } from "./note.ts";

/** Undefined where the text is no file of a known kind: it is then read as a command line. */
export function recogniseFile(source: Source): SourceKind | undefined {
  if (source.kind !== undefined) return source.kind;
  if (!hasKeys(source)) return undefined;
  const { fields } = readFields(source);
  const format = formatOf(source);
  if (fields === undefined) {
    // A broken config.json is still one, so that its reader says where it breaks.
    if (format === "json") return "huggingface";
    return format === "toml" ? "torchtitan" : undefined;
  }
  return kindOf(fields) ?? (format === "json" ? "huggingface" : undefined);
}

/** Whether a text is one of keys and values, and not a command line. */
export function hasKeys(source: Pick<Source, "name" | "text">): boolean {
  if (formatOf(source) !== "yaml") return true;
  if (/\.ya?ml$/i.test(source.name)) return true;
  const first = source.text
    .split("\n")
    .find((line) => /^\s*[^\s#]/.test(line) && !line.startsWith("---"));
  return first !== undefined && /^(- )?["']?[\w.-]+["']?\s*:(\s|$)/.test(first);
}

/** The first kind of which a config has a key that no other kind has there. */
function kindOf(fields: ImportedFields): SourceKind | undefined {
  return kinds.find(([, matches]) => matches(fields))?.[0];
}

function has(fields: ImportedFields, ...keys: string[]): boolean {
  return keys.some((key) => fields.peek(...key.split(".")) !== undefined);
}

/** Flags as keys, in any spelling. */
function hasFlag(fields: ImportedFields, flags: RegExp): boolean {
  const args = fields.peek("MODEL_ARGS");
  const all = isObject(args) ? args : fields.peek();
  return Object.keys(Object(all)).some((key) =>
    flags.test(key.replace(/^--/, "").replaceAll("_", "-")),
  );
}

const kinds: readonly (readonly [SourceKind, (fields: ImportedFields) => boolean])[] = [
  [
    "accelerate",
    (fields) =>
      has(fields, "compute_environment", "distributed_type") ||
      (has(fields, "num_processes") &&
        has(fields, "fsdp_config", "deepspeed_config", "num_machines")),
  ],
  [
    "huggingface",
    (fields) =>
      has(fields, "model_type", "architectures", "text_config", "llm_config") ||
      (has(fields, "num_hidden_layers", "n_layer") && has(fields, "hidden_size", "n_embd")),
  ],
  ["ray", (fields) => has(fields, "llm_configs") || hasRayApplication(fields)],
  ["nemo", (fields) => has(fields, "trainer") && has(fields, "model")],
  [
    "nanotron",
    (fields) =>
      has(fields, "parallelism.dp", "parallelism.tp", "parallelism.pp", "model.model_config"),
  ],
  [
    "torchtitan",
    (fields) =>
      has(
        fields,
        "model.flavor",
        "parallelism.tensor_parallel_degree",
        "parallelism.data_parallel_shard_degree",
      ) ||
      (has(fields, "training") &&
        has(fields, "parallelism", "activation_checkpoint", "experimental")),
  ],
  ["params", (fields) => has(fields, "dim") && has(fields, "n_layers") && has(fields, "n_heads")],
  [
    "trainer",
    (fields) =>
      has(fields, "per_device_train_batch_size", "cutoff_len") ||
      (has(fields, "base_model") && has(fields, "micro_batch_size", "sequence_len")),
  ],
  [
    "deepspeed",
    (fields) =>
      has(
        fields,
        "train_batch_size",
        "train_micro_batch_size_per_gpu",
        "gradient_accumulation_steps",
        "zero_optimization",
        "bf16.enabled",
        "fp16.enabled",
        "tensor_parallel.autotp_size",
      ),
  ],
  [
    "megatron",
    (fields) =>
      has(fields, "MODEL_ARGS", "language_model", "model_parallel") ||
      hasFlag(fields, /^(tensor|pipeline|expert)-model-parallel-size$|^num-attention-heads$/),
  ],
  [
    "tensorrt-llm",
    (fields) =>
      has(
        fields,
        "attention_dp_config",
        "cuda_graph_config",
        "disable_overlap_scheduler",
        "enable_attention_dp",
        "kv_cache_config",
        "moe_cluster_parallel_size",
        "moe_config",
        "moe_expert_parallel_size",
        "moe_tensor_parallel_size",
        "print_iter_log",
      ),
  ],
  [
    "vllm",
    (fields) =>
      hasFlag(
        fields,
        /^(tensor-parallel-size|pipeline-parallel-size|data-parallel-size|enable-expert-parallel|max-model-len|max-num-seqs|gpu-memory-utilization)$/,
      ),
  ],
];

function hasRayApplication(fields: ImportedFields): boolean {
  const applications = fields.peek("applications");
  return (
    Array.isArray(applications) &&
    applications.some(
      (_each, i) => fields.peek("applications", i, "args", "llm_configs") !== undefined,
    )
  );
}
