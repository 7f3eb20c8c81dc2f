// nanotron: a job's YAML. Its model is configured as Llama is.

import { shortDtype } from "../dtype_names.ts";
import { readFields } from "./fields.ts";
import { llama } from "./hf_llama.ts";
import { listUnreadKeys } from "./list_keys.ts";
import { type Imported, type Layout, shown, type Source } from "./note.ts";

export function importNanotron(source: Source): Imported {
  const base = { kind: "nanotron", source: source.name, assumed: [] } as const;
  const { fields, diagnostics } = readFields(source);
  if (fields === undefined) {
    return { ...base, layout: {}, workload: {}, optimizations: [], diagnostics };
  }
  const config = fields.within(["model", "model_config"]);
  const model = fields.peek("model", "model_config") === undefined ? undefined : llama(config);
  const zero = fields.number("optimizer", "zero_stage");
  const split = fields.text("parallelism", "tp_mode");
  const data = fields.count("parallelism", "dp");
  const tensor = fields.count("parallelism", "tp");
  const pipeline = fields.count("parallelism", "pp");
  const context = fields.count("parallelism", "context_parallel_size");
  const expert = fields.count("parallelism", "expert_parallel_size");
  const layout: Layout = {
    ...(data === undefined ? {} : { data }),
    ...(tensor === undefined ? {} : { tensor }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(context === undefined ? {} : { context }),
    ...(expert === undefined || expert === 1 ? {} : { expert }),
    ...(split === "REDUCE_SCATTER" && (tensor ?? 1) > 1 ? { sequence: true } : {}),
    ...(zero === 1 ? { zero } : {}),
    unevenPipeline: true,
  };
  const microBatch = fields.count("tokens", "micro_batch_size");
  const accumulation = fields.count("tokens", "batch_accumulation_per_replica");
  const sequence = fields.count("tokens", "sequence_length");
  const dtype = fields.text("model", "dtype");
  const short = dtype === undefined ? undefined : shortDtype(dtype);
  if (dtype !== undefined && short === undefined) {
    const message = `weights of type ${shown(dtype)} have no place in a plan`;
    fields.report("warning", "dtype-not-expressible", message, ["model", "dtype"]);
  }
  const checkpointed = fields.value("parallelism", "recompute_layer") === true;
  listUnreadKeys(fields, withoutBearing);
  return {
    ...base,
    ...(model === undefined ? {} : { model, family: `nanotron-${model.layers}x${model.hidden}` }),
    layout,
    layoutPosition: (key) => fields.position(["parallelism", keyOf[key] ?? "dp"]),
    workload: {
      mode: "training",
      ...(microBatch === undefined ? {} : { microBatch }),
      ...(accumulation === undefined ? {} : { accumulation }),
      ...(sequence === undefined ? {} : { sequence }),
      ...(short === undefined ? {} : { dtype: short }),
      ...(checkpointed ? { recompute: { granularity: "full", method: "uniform", layers: 1 } } : {}),
    },
    optimizations: [
      ...(checkpointed ? ["activation-checkpointing"] : []),
      ...(short === undefined || short === "f32" ? [] : ["mixed-precision"]),
    ],
    diagnostics: fields.diagnostics,
  };
}

const keyOf: Readonly<Partial<Record<keyof Layout, string>>> = {
  tensor: "tp",
  pipeline: "pp",
  data: "dp",
  context: "context_parallel_size",
  expert: "expert_parallel_size",
};

const withoutBearing =
  /^(checkpoints|data_stages|general|logging|profiler|s3_upload|lighteval|metrics_logging|experiment_logger)(\.|$)|^optimizer(\.|$)|^tokenizer\.|^tokenizer$|^tokens\.(limit_.*|train_steps|val_check_interval)$|^model\.(ddp_bucket_cap_mb|init_method|make_vocab_size_divisible_by)|^model\.model_config\.(bos_token_id|eos_token_id|pad_token_id|initializer_range|is_.*_config|max_position_embeddings|pretraining_tp|rms_norm_eps|rope_.*|use_cache|_attn_implementation|_fused.*|_use_.*)$|^parallelism\.(pp_engine|tp_linear_async_communication|tp_recompute_allgather|recompute_layer|moe_layer_recompute)$/;
