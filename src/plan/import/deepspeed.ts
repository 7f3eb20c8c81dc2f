// DeepSpeed: its JSON, and its launcher's command line. Both say how training is laid out; the model is
// built in code.

import { type FlagGrammar, readCommand } from "./command_flags.ts";
import { type JsonFields, readJson } from "./json_fields.ts";
import { type Imported, type ImportedWorkload, type Layout, shown, type Source } from "./note.ts";

export const importDeepSpeed = (source: Source): Imported =>
  source.text.trimStart().startsWith("{") || source.name.toLowerCase().endsWith(".json")
    ? fromJson(source)
    : fromLauncher(source);

const nothing = { layout: {}, workload: {}, optimizations: [], assumed: [] };

const fromJson = (source: Source): Imported => {
  const base = { kind: "deepspeed", source: source.name } as const;
  const { fields, diagnostics } = readJson(source);
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
    layoutPosition: (key) => fields.position(key === "tensor" ? tensorPath(fields) : ["pipeline"]),
    workload,
    optimizations: [
      ...(overlaps ? ["communication-overlap"] : []),
      ...(checkpointed ? ["activation-checkpointing"] : []),
      ...(workload.dtype === "f16" ? ["mixed-precision"] : []),
    ],
    assumed: [],
    diagnostics: fields.diagnostics,
  };
};

const sizeKeys = [
  "train_batch_size",
  "train_micro_batch_size_per_gpu",
  "gradient_accumulation_steps",
] as const;

/** Values that another tool fills in are no values yet. */
const listAutomatic = (fields: JsonFields): void => {
  for (const key of sizeKeys) {
    if (fields.value(key) !== "auto") continue;
    const message = `${key} is "auto": the trainer decides, and the plan assumes`;
    fields.report("warning", "value-auto", message, [key]);
  }
};

const countOf = (fields: JsonFields, ...path: string[]): number | undefined =>
  fields.value(...path) === "auto" ? undefined : fields.count(...path);

const tensorPath = (fields: JsonFields): string[] =>
  [["tensor_parallel", "autotp_size"], ["tensor_parallel", "tp_size"], ["mp_size"]].find(
    (path) => fields.value(...path) !== undefined,
  ) ?? ["tensor_parallel"];

const layoutOf = (fields: JsonFields): Layout => {
  const tensor = countOf(fields, ...tensorPath(fields));
  const stages = fields.value("pipeline", "stages");
  const pipeline = typeof stages === "number" ? fields.count("pipeline", "stages") : undefined;
  return {
    ...(tensor === undefined ? {} : { tensor }),
    ...(pipeline === undefined ? {} : { pipeline }),
    dataFromWorld: true,
  };
};

const workloadOf = (fields: JsonFields): ImportedWorkload => {
  const [batch, microBatch, accumulation] = sizeKeys.map((key) => countOf(fields, key));
  const fp16 = fields.value("fp16", "enabled") === true;
  const bf16 = ["bf16", "bfloat16"].some((key) => fields.value(key, "enabled") === true);
  if (fp16 && bf16) {
    const hint = "switch one of the two off";
    const message = "fp16 and bf16 are both enabled";
    fields.report("error", "precisions-contradict", message, ["fp16", "enabled"], hint);
  } else if (bf16) {
    fields.report("info", "bf16-as-f16", "bfloat16 is run as f16, which is as wide", ["bf16"]);
  }
  const training = batch !== undefined || microBatch !== undefined || accumulation !== undefined;
  return {
    ...(training || fields.value("optimizer") !== undefined ? { mode: "training" } : {}),
    ...(batch === undefined ? {} : { batch }),
    ...(microBatch === undefined ? {} : { microBatch }),
    ...(accumulation === undefined ? {} : { accumulation }),
    ...(fp16 || bf16 ? { dtype: "f16" } : {}),
  };
};

const withoutBearing =
  /^(optimizer|scheduler|steps_per_print|wall_clock_breakdown|gradient_clipping|prescale_gradients|gradient_predivide_factor|zero_allow_untested_optimizer|tensorboard|wandb|csv_monitor|flops_profiler|dump_state|comms_logger|seed|communication_data_type|zero_force_ds_cpu_optimizer|\$schema|fp16|bf16)$/;

const listTheRest = (fields: JsonFields): void => {
  const stage = fields.value("zero_optimization", "stage");
  if (stage !== undefined && stage !== 0) {
    fields.report(
      "warning",
      "zero-not-expressible",
      `ZeRO stage ${shown(stage)} splits what replicas hold; a plan's replicas hold everything`,
      ["zero_optimization", "stage"],
    );
  }
  for (const key of ["offload_optimizer", "offload_param"]) {
    const device = fields.value("zero_optimization", key, "device");
    if (device === undefined || device === "none") continue;
    const message = `a plan has no words for offloading to ${shown(device)}`;
    fields.report("warning", "offload-not-expressible", message, ["zero_optimization", key]);
  }
  const rest = fields.unread();
  const silent = rest.filter((key) => withoutBearing.test(key));
  if (silent.length > 0) {
    const message = `these keys change neither sizes nor work: ${silent.join(", ")}`;
    fields.report("info", "keys-without-bearing", message, []);
  }
  for (const key of rest) {
    if (silent.includes(key)) continue;
    const message = `the key ${shown(key)} is not understood, and not in the plan`;
    fields.report("warning", "key-not-understood", message, [key]);
  }
};

const launcherGrammar: FlagGrammar = {
  switches: new Set(["--bf16", "--fp16", "--gradient-checkpointing", "--no-local-rank"]),
  aliases: {},
};

/** `deepspeed --num_gpus 8 train.py …`: ranks, and what the trainer's own flags say of the batch. */
const fromLauncher = (source: Source): Imported => {
  const flags = readCommand(source, launcherGrammar);
  const perNode = flags.count("--num-gpus");
  const nodes = flags.count("--num-nodes") ?? 1;
  const name = flags.text("--model-name-or-path");
  const microBatch = flags.count("--per-device-train-batch-size");
  const accumulation = flags.count("--gradient-accumulation-steps");
  const sequence = flags.count("--max-seq-length") ?? flags.count("--max-seq-len");
  const half = flags.has("--bf16") || flags.has("--fp16");
  const checkpointed = flags.has("--gradient-checkpointing");
  const config = flags.text("--deepspeed") ?? flags.text("--deepspeed-config");
  if (config !== undefined) {
    const message = `the layout is completed by ${shown(config)}, which this command only names`;
    const flag = flags.has("--deepspeed") ? "--deepspeed" : "--deepspeed-config";
    flags.report("info", "config-named", message, flag, "give that file as a source too");
  }
  const rest = flags.unread().map((flag) => flag.name);
  if (rest.length > 0) {
    const message = `these flags are the script's own, and not in the plan: ${rest.join(", ")}`;
    flags.report("warning", "flag-not-understood", message, rest[0]);
  }
  return {
    kind: "deepspeed",
    source: source.name,
    ...(name === undefined ? {} : { name }),
    layout: {
      dataFromWorld: true,
      ...(perNode === undefined ? {} : { world: perNode * nodes }),
    },
    layoutPosition: () => flags.position("--num-gpus"),
    workload: {
      mode: "training",
      ...(microBatch === undefined ? {} : { microBatch }),
      ...(accumulation === undefined ? {} : { accumulation }),
      ...(sequence === undefined ? {} : { sequence }),
      ...(half ? { dtype: "f16" } : {}),
    },
    optimizations: [
      ...(checkpointed ? ["activation-checkpointing"] : []),
      ...(half ? ["mixed-precision"] : []),
    ],
    assumed: [],
    diagnostics: flags.diagnostics,
  };
};
