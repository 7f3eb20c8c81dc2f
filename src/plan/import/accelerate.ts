// Accelerate: the YAML that `accelerate config` writes. How many ranks there are, and what shards their state.

import { type ImportedFields, readFields } from "./fields.ts";
import { listUnreadKeys } from "./list_keys.ts";
import { type Imported, type Layout, shown, type Source } from "./note.ts";
import { halfPrecision } from "./half_precision.ts";
import { shardingOf } from "./sharding_strategy.ts";

export function importAccelerate(source: Source): Imported {
  const base = { kind: "accelerate", source: source.name, assumed: [] } as const;
  const { fields, diagnostics } = readFields(source);
  if (fields === undefined) {
    return { ...base, layout: {}, workload: {}, optimizations: [], diagnostics };
  }
  const layout = layoutOf(fields);
  const accumulation = countOf(fields, "deepspeed_config", "gradient_accumulation_steps");
  const precision = fields.text("mixed_precision");
  const file = fields.text("deepspeed_config", "deepspeed_config_file");
  if (file !== undefined) {
    const message = `the layout is completed by ${shown(file)}, which this file only names`;
    const path = ["deepspeed_config", "deepspeed_config_file"];
    fields.report("info", "config-named", message, path, "give that file as a source too");
  }
  for (const key of ["offload_optimizer_device", "offload_param_device"]) {
    const device = fields.value("deepspeed_config", key);
    if (device === undefined || device === "none") continue;
    const message = `a plan has no words for offloading to ${shown(device)}`;
    fields.report("warning", "offload-not-expressible", message, ["deepspeed_config", key]);
  }
  if (fields.value("fsdp_config", "fsdp_offload_params") === true) {
    const message = "a plan has no words for offloading parameters";
    fields.report("warning", "offload-not-expressible", message, ["fsdp_config"]);
  }
  const checkpointed = fields.value("fsdp_config", "fsdp_activation_checkpointing") === true;
  const half = halfPrecision(precision === "bf16", precision === "fp16");
  if (precision === "fp8") {
    const message = "a plan has no words for matrices in eight bits";
    fields.report("warning", "fp8-not-expressible", message, ["mixed_precision"]);
  }
  listUnreadKeys(fields, withoutBearing);
  return {
    ...base,
    layout,
    layoutPosition: (key) => fields.position(pathOf[key] ?? ["num_processes"]),
    workload: {
      mode: "training",
      ...(accumulation === undefined ? {} : { accumulation }),
      ...half,
      ...(checkpointed ? { recompute: { granularity: "full", method: "uniform", layers: 1 } } : {}),
    },
    optimizations: [
      ...(checkpointed ? ["activation-checkpointing"] : []),
      ...(half.dtype === undefined ? [] : ["mixed-precision"]),
    ],
    diagnostics: fields.diagnostics,
  };
}

const pathOf: Readonly<Partial<Record<keyof Layout, readonly string[]>>> = {
  shardCopies: ["parallelism_config", "parallelism_config_dp_replicate_size"],
  dataShard: ["parallelism_config", "parallelism_config_dp_shard_size"],
};

function countOf(fields: ImportedFields, ...path: string[]): number | undefined {
  return fields.peek(...path) === "auto" ? undefined : fields.count(...path);
}

function layoutOf(fields: ImportedFields): Layout {
  const kind = fields.text("distributed_type");
  const world = countOf(fields, "num_processes");
  const machines = fields.count("num_machines") ?? 1;
  const megatron = (key: string) => countOf(fields, "megatron_lm_config", `megatron_lm_${key}`);
  const mesh = (key: string) => countOf(fields, "parallelism_config", `parallelism_config_${key}`);
  const tensor = megatron("tp_degree") ?? mesh("tp_size");
  const pipeline = megatron("pp_degree");
  const context = mesh("cp_size");
  const sequence = fields.value("megatron_lm_config", "megatron_lm_sequence_parallelism") === true;
  const state =
    kind === "DEEPSPEED" ? zeroStage(fields) : kind === "FSDP" ? sharding(fields, machines) : {};
  const optimizer =
    fields.value("megatron_lm_config", "megatron_lm_use_distributed_optimizer") === true;
  const replicate = mesh("dp_replicate_size");
  const shard = mesh("dp_shard_size");
  return {
    ...(tensor === undefined ? {} : { tensor }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(context === undefined || context === 1 ? {} : { context }),
    ...(sequence ? { sequence } : {}),
    ...(world === undefined ? {} : { world }),
    ...(optimizer ? { zero: 1 } : {}),
    ...state,
    ...(replicate === undefined ? {} : { shardCopies: replicate }),
    ...(shard === undefined ? {} : { dataShard: shard }),
    // Copies alone are plain data parallelism.
    ...(shard === 1 && (replicate ?? 1) > 1 ? { zero: 0 } : {}),
    dataFromWorld: true,
  };
}

function zeroStage(fields: ImportedFields): Pick<Layout, "zero"> {
  const stage = countOf(fields, "deepspeed_config", "zero_stage");
  return stage === 1 || stage === 2 || stage === 3 ? { zero: stage } : {};
}

/** By name in the first version of FSDP, by whether weights are freed after the forward pass in the second. */
function sharding(fields: ImportedFields, machines: number): Pick<Layout, "zero" | "shardCopies"> {
  const named = fields.value("fsdp_config", "fsdp_sharding_strategy") ?? "FULL_SHARD";
  const reshard = fields.value("fsdp_config", "fsdp_reshard_after_forward");
  if (reshard === false) return { zero: 2 };
  const written = typeof reshard === "string" ? reshard : named;
  const found = shardingOf(written, machines);
  if (found !== undefined) return found;
  const message = `a plan has no words for the sharding ${shown(written)}`;
  fields.report("warning", "sharding-not-expressible", message, ["fsdp_config"]);
  return {};
}

const withoutBearing =
  /^(compute_environment|debug|downcast_bf16|machine_rank|main_process_.*|main_training_function|rdzv_backend|same_network|tpu_.*|use_cpu|gpu_ids|enable_cpu_affinity|dynamo_config|command.*|commands|dynamo_backend)(\.|$)|^fsdp_config\.fsdp_(auto_wrap_policy|backward_prefetch|cpu_ram_efficient_loading|forward_prefetch|state_dict_type|sync_module_states|transformer_layer_cls_to_wrap|use_orig_params|version|min_num_params|activation_checkpointing|offload_params)$|^deepspeed_config\.(zero3_.*|gradient_clipping|deepspeed_multinode_launcher|deepspeed_hostfile|deepspeed_moe_layer_cls_names)$|^megatron_lm_config\.megatron_lm_(gradient_clipping|num_micro_batches|recompute_activations)$/;
