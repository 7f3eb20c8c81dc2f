// torchtitan: a job's TOML. The sizes of a model it leaves to a flavor, of which the published ones are known.

import { shortDtype } from "../dtype_names.ts";
import type { ModelFile } from "../schema_model.ts";
import { type ImportedFields, readFields } from "./fields.ts";
import { listUnreadKeys } from "./list_keys.ts";
import { type Imported, type ImportedWorkload, type Layout, shown, type Source } from "./note.ts";
import { torchtitanModel } from "./torchtitan_flavors.ts";

export function importTorchtitan(source: Source): Imported {
  const base = { kind: "torchtitan", source: source.name, assumed: [] } as const;
  const { fields, diagnostics } = readFields(source);
  if (fields === undefined) {
    return { ...base, layout: {}, workload: {}, optimizations: [], diagnostics };
  }
  const name = fields.text("model", "name");
  const flavor = fields.text("model", "flavor");
  const model = flavorOf(fields, name, flavor);
  const layout = layoutOf(fields);
  const workload = workloadOf(fields);
  const compiled = fields.value("training", "compile") ?? fields.value("compile", "enable");
  if (compiled === true) {
    fields.report("warning", "compile-not-expressible", "a plan has no words for compilation", [
      "compile",
    ]);
  }
  listUnreadKeys(fields, withoutBearing);
  return {
    ...base,
    ...(model === undefined ? {} : { model }),
    ...(name === undefined ? {} : { family: [name, flavor].filter(Boolean).join("-") }),
    layout,
    layoutPosition: (key) => fields.position(["parallelism", keyOf[key] ?? ""]),
    workload,
    optimizations: [
      ...(workload.recompute === undefined ? [] : ["activation-checkpointing"]),
      ...(workload.dtype === "f32" ? [] : ["mixed-precision"]),
    ],
    diagnostics: fields.diagnostics,
  };
}

const keyOf: Readonly<Partial<Record<keyof Layout, string>>> = {
  tensor: "tensor_parallel_degree",
  pipeline: "pipeline_parallel_degree",
  context: "context_parallel_degree",
  expert: "expert_parallel_degree",
  data: "data_parallel_shard_degree",
  shardCopies: "data_parallel_replicate_degree",
};

/** Older files have their degrees in other tables. */
function degree(fields: ImportedFields, ...keys: string[]): number | undefined {
  for (const table of ["parallelism", "training", "experimental"]) {
    for (const key of keys) {
      const value = fields.number(table, key);
      if (value !== undefined) return value;
    }
  }
  return undefined;
}

function layoutOf(fields: ImportedFields): Layout {
  const tensor = degree(fields, "tensor_parallel_degree");
  const pipeline = degree(fields, "pipeline_parallel_degree");
  const context = degree(fields, "context_parallel_degree");
  const expert = degree(fields, "expert_parallel_degree");
  const expertTensor = degree(fields, "expert_tensor_parallel_degree");
  const shard = degree(fields, "data_parallel_shard_degree", "data_parallel_degree") ?? -1;
  const replicate = degree(fields, "data_parallel_replicate_degree") ?? 1;
  const chunks = fields.count("parallelism", "pipeline_parallel_layers_per_stage");
  const disabled = fields.value("parallelism", "disable_loss_parallel");
  const sequence = (tensor ?? 1) > 1;
  if (disabled === true) fields.value("parallelism", "disable_loss_parallel");
  return {
    ...(tensor === undefined ? {} : { tensor }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(context === undefined ? {} : { context }),
    // Of the ranks that share experts, expert-tensor ones are beside the expert degree.
    ...(expert === undefined || expert <= 1 ? {} : { expert, expertTensor: expertTensor ?? 1 }),
    ...(shard > 0 ? { data: shard * replicate } : {}),
    ...(chunks === undefined ? {} : { layersPerChunk: chunks }),
    ...(sequence ? { sequence } : {}),
    ...(shard === 1 ? {} : { zero: 3, shardCopies: replicate }),
    dataFromWorld: true,
  };
}

function workloadOf(fields: ImportedFields): ImportedWorkload {
  const local =
    fields.count("training", "local_batch_size") ?? fields.count("training", "batch_size");
  const batch = fields.number("training", "global_batch_size") ?? -1;
  const sequence = fields.count("training", "seq_len");
  const mode = fields.text("activation_checkpoint", "mode");
  fields.value("activation_checkpoint", "selective_ac_option");
  const schedule = fields.text("parallelism", "pipeline_parallel_schedule")?.toLowerCase();
  const { microBatch, accumulation } = microBatchOf(fields, local);
  const written = fields.text("training", "mixed_precision_param") ?? "bfloat16";
  fields.value("training", "mixed_precision_reduce");
  if (schedule !== undefined && !/^(1f1b|gpipe)$/.test(schedule)) {
    const message = `a plan has no words for the schedule ${shown(schedule)}`;
    fields.report("warning", "schedule-not-expressible", message, [
      "parallelism",
      "pipeline_parallel_schedule",
    ]);
  }
  return {
    mode: "training",
    ...(batch > 0 ? { batch } : accumulation === undefined ? {} : { accumulation }),
    ...(microBatch === undefined ? {} : { microBatch }),
    ...(sequence === undefined ? {} : { sequence }),
    dtype: shortDtype(written) ?? "bf16",
    ...(mode === "full"
      ? { recompute: { granularity: "full", method: "uniform", layers: 1 } }
      : mode === "selective"
        ? { recompute: { granularity: "selective" } }
        : {}),
  };
}

/** A pipeline cuts its local batch once more: into single samples, unless the file says otherwise. */
function microBatchOf(
  fields: ImportedFields,
  local: number | undefined,
): Pick<ImportedWorkload, "microBatch" | "accumulation"> {
  const path = ["parallelism", "pipeline_parallel_microbatch_size"] as const;
  const samples = fields.count(...path) ?? 1;
  if (local === undefined) return {};
  if ((degree(fields, "pipeline_parallel_degree") ?? 1) === 1) return { microBatch: local };
  if (local % samples === 0) return { microBatch: samples, accumulation: local / samples };
  const message = `a local batch of ${local} cannot be cut into micro-batches of ${samples}`;
  fields.report("error", "batch-contradicts", message, path, "choose a divisor");
  return {};
}

function flavorOf(
  fields: ImportedFields,
  name: string | undefined,
  flavor: string | undefined,
): ModelFile | undefined {
  if (name === undefined || flavor === undefined) return undefined;
  const model = torchtitanModel(name, flavor);
  if (model === undefined) return undefined;
  fields.report(
    "info",
    "sizes-of-flavor",
    `the sizes are those of the flavor ${name} ${flavor}, as it is published`,
    ["model", "flavor"],
  );
  return model;
}

const withoutBearing =
  /^(job|profiling|metrics|optimizer|lr_scheduler|checkpoint|comm|validation|fault_tolerance|memory_estimation|debug|experimental)(\.|$)|^(compile|quantize|float8|mx)\.|^model\.(converters|tokenizer_path|hf_assets_path|print_after_conversion|norm_type)$|^training\.(steps|max_norm|dataset.*|seed|deterministic|compile|gc_freq|warmup_steps|data_parallel_.*|enable_cpu_offload)$|^parallelism\.(enable_async_tensor_parallel|disable_loss_parallel|fsdp_reshard_after_forward|enable_compiled_autograd|context_parallel_rotate_method)$|^activation_checkpoint\./;
