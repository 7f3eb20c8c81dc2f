// DeepSpeed's JSON: how training is laid out. The model is built in code.

import { type ImportedFields, readFields } from "./fields.ts";
import { halfPrecision } from "./half_precision.ts";
import { listUnreadKeys } from "./list_keys.ts";
import { type Imported, type ImportedWorkload, type Layout, shown, type Source } from "./note.ts";

const nothing = { layout: {}, workload: {}, optimizations: [], assumed: [] };

export function importDeepSpeed(source: Source): Imported {
  const base = { kind: "deepspeed", source: source.name } as const;
  const { fields, diagnostics } = readFields(source);
  if (fields === undefined) return { ...base, ...nothing, diagnostics };
  listAutomatic(fields);
  const layout = layoutOf(fields);
  const workload = workloadOf(fields);
  const checkpointed = fields.value("activation_checkpointing") !== undefined;
  const overlaps = fields.value("zero_optimization", "overlap_comm") === true;
  listTheRest(fields);
  return {
    ...base,
    layout,
    layoutPosition: (key) =>
      fields.position(
        key === "tensor"
          ? tensorPath(fields)
          : key === "dataShard"
            ? ["zero_optimization", "mics_shard_size"]
            : ["pipeline"],
      ),
    workload,
    optimizations: [
      ...(overlaps ? ["communication-overlap"] : []),
      ...(checkpointed ? ["activation-checkpointing"] : []),
      ...(workload.dtype === undefined ? [] : ["mixed-precision"]),
    ],
    assumed: [],
    diagnostics: fields.diagnostics,
  };
}

const sizeKeys = [
  "train_batch_size",
  "train_micro_batch_size_per_gpu",
  "gradient_accumulation_steps",
] as const;

/** Values that another tool fills in are no values yet. */
function listAutomatic(fields: ImportedFields): void {
  for (const key of sizeKeys) {
    if (fields.value(key) !== "auto") continue;
    const message = `${key} is "auto": the trainer's flags decide, and what they leave out is assumed`;
    fields.report("warning", "value-auto", message, [key]);
  }
}

function countOf(fields: ImportedFields, ...path: string[]): number | undefined {
  return fields.value(...path) === "auto" ? undefined : fields.count(...path);
}

function tensorPath(fields: ImportedFields): string[] {
  return (
    [["tensor_parallel", "autotp_size"], ["tensor_parallel", "tp_size"], ["mp_size"]].find(
      (path) => fields.value(...path) !== undefined,
    ) ?? ["tensor_parallel"]
  );
}

function layoutOf(fields: ImportedFields): Layout {
  const tensor = countOf(fields, ...tensorPath(fields));
  const zero = fields.number("zero_optimization", "stage");
  // MiCS: −1 is off.
  const group = fields.number("zero_optimization", "mics_shard_size") ?? -1;
  const stages = fields.value("pipeline", "stages");
  const pipeline = typeof stages === "number" ? fields.count("pipeline", "stages") : undefined;
  return {
    ...(tensor === undefined ? {} : { tensor }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(zero === 0 || zero === 1 || zero === 2 || zero === 3 ? { zero } : {}),
    ...(group > 0 ? { dataShard: group } : {}),
    dataFromWorld: true,
  };
}

function workloadOf(fields: ImportedFields): ImportedWorkload {
  const [batch, microBatch, accumulation] = sizeKeys.map((key) => countOf(fields, key));
  const fp16 = fields.value("fp16", "enabled") === true;
  const bf16 = ["bf16", "bfloat16"].some((key) => fields.value(key, "enabled") === true);
  if (fp16 && bf16) {
    const hint = "switch one of the two off";
    const message = "fp16 and bf16 are both enabled";
    fields.report("error", "precisions-contradict", message, ["fp16", "enabled"], hint);
  }
  const training = batch !== undefined || microBatch !== undefined || accumulation !== undefined;
  return {
    ...(training || fields.value("optimizer") !== undefined ? { mode: "training" } : {}),
    ...(batch === undefined ? {} : { batch }),
    ...(microBatch === undefined ? {} : { microBatch }),
    ...(accumulation === undefined ? {} : { accumulation }),
    ...halfPrecision(bf16, fp16),
  };
}

const withoutBearing =
  /^(optimizer|scheduler|steps_per_print|wall_clock_breakdown|gradient_clipping|prescale_gradients|gradient_predivide_factor|zero_allow_untested_optimizer|tensorboard|wandb|csv_monitor|flops_profiler|dump_state|comms_logger|seed|communication_data_type|zero_force_ds_cpu_optimizer|\$schema|fp16|bf16|bfloat16|data_types|checkpoint|use_node_local_storage|timers|hybrid_engine|elasticity|autotuning|eigenvalue|data_efficiency|curriculum_learning|sparse_gradients|gradient_accumulation_dtype|compile|activation_checkpointing)(\.|$)|^zero_optimization\.(allgather_.*|reduce_scatter|reduce_bucket_size|contiguous_gradients|overlap_comm|sub_group_size|round_robin_gradients|ignore_unused_parameters|stage3_.*|elastic_checkpoint|legacy_stage1|load_from_fp32_weights|memory_efficient_linear|zero_quantized_.*|offload_optimizer|offload_param)(\.|$)|^pipeline\./;

function listTheRest(fields: ImportedFields): void {
  for (const key of ["offload_optimizer", "offload_param"]) {
    const device = fields.value("zero_optimization", key, "device");
    if (device === undefined || device === "none") continue;
    const message = `a plan has no words for offloading to ${shown(device)}`;
    fields.report("warning", "offload-not-expressible", message, ["zero_optimization", key]);
  }
  listUnreadKeys(fields, withoutBearing);
}
