// A Python script behind torchrun, `deepspeed` or `accelerate launch`: its launcher's ranks, and what flags of
// the Hugging Face Trainer say of the batch. The model is built in code.

import { type CommandFlags, type FlagGrammar, readFlags } from "./command_flags.ts";
import type { ToolCommand } from "./commands_in.ts";
import { halfPrecision, halfPrecisionOf } from "./half_precision.ts";
import type { Imported, ImportedWorkload } from "./note.ts";
import { listNamedConfig } from "./named_config.ts";
import { trainerSharding } from "./trainer_sharding.ts";
import { listUnread } from "./unread_flags.ts";

const grammar: FlagGrammar = {
  lists: new Set([
    "--report-to",
    "--dataset-name",
    "--lora-target-modules",
    "--data-path",
    "--label-names",
    "--fsdp",
  ]),
  switches: new Set([
    "--bf16",
    "--fp16",
    "--tf32",
    "--gradient-checkpointing",
    "--do-train",
    "--do-eval",
    "--overwrite-output-dir",
    "--group-by-length",
    "--push-to-hub",
    "--use-peft",
    "--packing",
    "--ddp-find-unused-parameters",
    "--dataloader-pin-memory",
    "--remove-unused-columns",
    "--load-best-model-at-end",
    "--trust-remote-code",
    "--streaming",
    "--multi-gpu",
    "--use-deepspeed",
    "--use-fsdp",
    "--use-megatron-lm",
    "--fsdp-activation-checkpointing",
    "--same-network",
    "--debug",
  ]),
  aliases: {
    "--max-seq-len": "--max-seq-length",
    "--max-length": "--max-seq-length",
    "--cutoff-len": "--max-seq-length",
    "--model-max-length": "--max-seq-length",
    "--block-size": "--max-seq-length",
    "--sequence-length": "--max-seq-length",
    "--per-gpu-train-batch-size": "--per-device-train-batch-size",
    "--model-name": "--model-name-or-path",
  },
};

/** Data, optimizer, logs and checkpoints. */
const withoutBearing = new RegExp(
  `^--(${[
    "output-dir|overwrite-output-dir|logging-.*|report-to|run-name|save-.*|eval.*|do-(train|eval|predict)|seed|data-seed",
    "dataset.*|data-path|train-file|validation-file|lr.*|learning-rate|weight-decay|warmup-.*|adam-.*|optim.*|max-steps",
    "num-train-epochs|max-grad-norm|dataloader-.*|remove-unused-columns|push-to-hub|hub-.*|per-device-eval-batch-size",
    "ddp-.*|resume-from-checkpoint|load-best-model-at-end|metric-.*|preprocessing-.*|cache-dir|trust-remote-code|tf32",
    "token|use-auth-token|disable-tqdm|group-by-length|length-column-name|streaming|local-rank|max-(train|eval)-samples",
    "machine-rank|main-process-(ip|port)|rdzv-.*|num-cpu-threads-.*|dynamo-backend|multi-gpu|same-network|debug|quiet",
    "deepspeed-(hostfile|multinode-launcher)|gradient-clipping|zero3-.*|use-(deepspeed|fsdp|megatron-lm)",
    "fsdp-(auto-wrap-policy|backward-prefetch.*|cpu-ram-efficient-loading|forward-prefetch|min-num-params|state-dict-type)",
    "fsdp-(sync-module-states|transformer-layer-cls-to-wrap|use-orig-params|version|sharding-strategy|reshard-after-forward)",
    "evaluation-strategy|tokenizer-name|template|overwrite-cache|plot-loss",
  ].join("|")})$`,
);

const notExpressible: Readonly<Record<string, string>> = {
  "--fsdp-config": "how FSDP wraps and recomputes layers",
  "--use-peft": "adapters in the place of weights that are trained",
  "--lora-r": "adapters in the place of weights that are trained",
  "--lora-rank": "adapters in the place of weights that are trained",
  "--lora-target": "adapters in the place of weights that are trained",
  "--finetuning-type": "adapters in the place of weights that are trained",
  "--load-in-4bit": "quantized weights",
  "--load-in-8bit": "quantized weights",
  "--torch-compile": "compilation",
  "--offload-optimizer-device": "an optimizer on the host",
  "--offload-param-device": "weights on the host",
};

const known = [
  "--per-device-train-batch-size",
  "--gradient-accumulation-steps",
  "--gradient-checkpointing",
  "--model-name-or-path",
  "--max-seq-length",
  "--deepspeed",
  "--fsdp",
  "--zero-stage",
  "--bf16",
  "--fp16",
];

/** Flags that `TrainingArguments` of transformers has, and no other script in use. */
const ofTransformers = [
  "--do-train",
  "--do-eval",
  "--evaluation-strategy",
  "--eval-strategy",
  "--save-strategy",
  "--save-total-limit",
  "--logging-strategy",
  "--overwrite-output-dir",
];
const defaultMicroBatch = 8;

export function importTrainer(started: ToolCommand): Imported {
  const command = withAccelerate(started);
  const flags = readFlags(command, grammar);
  const { ranks } = command.launch;
  const name = flags.label("--model-name-or-path");
  const microBatch = flags.count("--per-device-train-batch-size");
  const accumulation = flags.count("--gradient-accumulation-steps");
  const sequence = flags.count("--max-seq-length");
  const half = precisionOf(flags);
  const checkpointed =
    flags.has("--gradient-checkpointing") || flags.has("--fsdp-activation-checkpointing");
  const tensor =
    flags.count("--megatron-lm-tp-degree") ?? flags.count("--parallelism-config-tp-size");
  const pipeline = flags.count("--megatron-lm-pp-degree");
  const context = flags.count("--parallelism-config-cp-size");
  const sharding = trainerSharding(flags);
  const takesDefault =
    microBatch === undefined && ofTransformers.some((flag) => flags.position(flag) !== undefined);
  listNamedConfig(flags, [
    "--deepspeed",
    "--deepspeed-config",
    "--deepspeed-config-file",
    "--config",
    "--config-file",
  ]);
  listUnread(flags, { withoutBearing, notExpressible, known });
  return {
    kind: "trainer",
    source: command.source,
    ...(name === undefined ? {} : { name }),
    layout: {
      dataFromWorld: true,
      ...(ranks === undefined ? {} : { world: ranks.count }),
      ...(tensor === undefined ? {} : { tensor }),
      ...(pipeline === undefined ? {} : { pipeline }),
      ...(context === undefined || context === 1 ? {} : { context }),
      ...sharding,
    },
    layoutPosition: () => ranks && command.position(ranks.offset),
    workload: {
      mode: "training",
      ...(microBatch === undefined ? {} : { microBatch }),
      ...(takesDefault ? { defaultMicroBatch } : {}),
      ...(accumulation === undefined ? {} : { accumulation }),
      ...(sequence === undefined ? {} : { sequence }),
      ...half,
      ...(checkpointed ? { recompute: { granularity: "full", method: "uniform", layers: 1 } } : {}),
    },
    optimizations: [
      ...(checkpointed ? ["activation-checkpointing"] : []),
      ...(half.dtype === undefined ? [] : ["mixed-precision"]),
    ],
    assumed: [],
    diagnostics: flags.diagnostics,
  };
}

function precisionOf(flags: CommandFlags): Pick<ImportedWorkload, "dtype"> {
  const ofLauncher = flags.text("--mixed-precision");
  if (ofLauncher === "fp8") {
    const message = "a plan has no words for matrices in eight bits";
    flags.report("warning", "fp8-not-expressible", message, "--mixed-precision");
  }
  return {
    ...halfPrecision(ofLauncher === "bf16", ofLauncher === "fp16"),
    ...halfPrecisionOf(flags),
  };
}

/** What `accelerate launch` is told of training is what the script would be told. */
function withAccelerate(command: ToolCommand): ToolCommand {
  const { launch, words } = command;
  const { options = [] } = launch.launchers.find(({ name }) => name === "accelerate") ?? {};
  const launchers = launch.launchers.filter(({ name }) => name !== "accelerate");
  return { ...command, launch: { ...launch, launchers }, words: [...options, ...words] };
}
