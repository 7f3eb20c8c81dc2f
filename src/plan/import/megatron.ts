// A Megatron-LM argument list, bare or behind a launcher, or a script that builds one: model and layout.

import type { Position } from "../diagnostic.ts";
import type { ModelFile } from "../schema_model.ts";
import { type CommandFlags, readFlags } from "./command_flags.ts";
import type { ToolCommand } from "./commands_in.ts";
import {
  changesModel,
  megatronGrammar,
  needs,
  notExpressible,
  withoutBearing,
} from "./megatron_flags.ts";
import { halfPrecisionOf } from "./half_precision.ts";
import { megatronModel } from "./megatron_model.ts";
import { megatronSharding } from "./megatron_sharding.ts";
import {
  type Imported,
  type ImportedWorkload,
  type Layout,
  modelNotUnderstood,
  otherModel,
  shown,
} from "./note.ts";
import { layersOfChunks } from "./pipeline_layout.ts";
import { listUnread } from "./unread_flags.ts";

export function importMegatron(command: ToolCommand): Imported {
  const flags = readFlags(command, { ...megatronGrammar, known });
  const layout = layoutOf(flags);
  const described = megatronModel(flags);
  const workload = workloadOf(flags);
  const optimizations = optimizationsOf(flags);
  listOtherScript(flags);
  listUnread(flags, { withoutBearing, notExpressible, known, changesModel, needs });
  const { model, assumed } = described;
  return {
    kind: "megatron",
    source: command.source,
    ...(model === undefined ? {} : { model, family: nameOf(flags, model) }),
    layout,
    layoutPosition: (key) =>
      flags.position(flagOf[key]) ?? (key === "world" ? rankPosition(command) : undefined),
    featurePosition: (feature) => {
      const named = featureFlags[feature]?.find((flag) => flags.has(flag)) ?? "--num-layers";
      return flags.position(named);
    },
    workload,
    optimizations,
    assumed,
    diagnostics: flags.diagnostics,
  };
}

function rankPosition({ launch, position }: ToolCommand): Position | undefined {
  return launch.ranks && position(launch.ranks.offset);
}

function nameOf(flags: CommandFlags, { layers, hidden }: ModelFile): string {
  const kind = /^pretrain_(\w+)\.py$/.exec(flags.invocation.program)?.[1] ?? "megatron";
  return `${kind}-${layers}x${hidden}`;
}

/** Scripts that build another model than a decoder from the same flags. */
function listOtherScript(flags: CommandFlags): void {
  const { program } = flags.invocation;
  if (!/_(t5|bert|mamba|hybrid|vlm|vision|retro|ict|multimodal)\w*\.py$/.test(program)) return;
  flags.report("warning", modelNotUnderstood, otherModel(`the script ${program}`), undefined);
}

const flagOf: Readonly<Record<keyof Layout, string>> = {
  tensor: "--tensor-model-parallel-size",
  pipeline: "--pipeline-model-parallel-size",
  data: "--nproc-per-node",
  expert: "--expert-model-parallel-size",
  context: "--context-parallel-size",
  sequence: "--sequence-parallel",
  virtualStages: "--num-virtual-stages-per-pipeline-rank",
  layersPerChunk: "--num-layers-per-virtual-pipeline-stage",
  firstStageLayers: "--decoder-first-pipeline-num-layers",
  lastStageLayers: "--decoder-last-pipeline-num-layers",
  layersOfChunks: "--pipeline-model-parallel-layout",
  embeddingInSplit: "--account-for-embedding-in-pipeline-split",
  lossInSplit: "--account-for-loss-in-pipeline-split",
  unevenPipeline: "--pipeline-model-parallel-size",
  expertOverAll: "--expert-model-parallel-size",
  expertTensor: "--expert-tensor-parallel-size",
  redundantExperts: "--expert-model-parallel-size",
  world: "--nproc-per-node",
  dataFromWorld: "--nproc-per-node",
  vocabularyMultiple: "--make-vocab-size-divisible-by",
  zero: "--use-distributed-optimizer",
  shardCopies: "--num-distributed-optimizer-instances",
  dataShard: "--num-distributed-optimizer-instances",
  padVocabularyTo: "--make-vocab-size-divisible-by",
};

const featureFlags: Readonly<Record<string, readonly string[]>> = {
  "learned-positions": ["--position-embedding-type", "--max-position-embeddings"],
  biases: ["--add-qkv-bias"],
  "shared-experts": ["--moe-shared-expert-intermediate-size"],
};

/** Ranks from the launcher; a list without one may have the launcher's flags among its own. */
function worldOf(flags: CommandFlags): number | undefined {
  const { launch, program } = flags.invocation;
  const given = flags.count("--world-size") ?? launch.ranks?.count;
  if (given !== undefined || program !== "") return given;
  const perNode = flags.count("--nproc-per-node") ?? flags.count("--num-gpus");
  const nodes = flags.count("--nnodes") ?? flags.count("--num-nodes") ?? 1;
  return perNode === undefined ? undefined : perNode * nodes;
}

function layoutOf(flags: CommandFlags): Layout {
  const world = worldOf(flags);
  const expert = flags.count("--expert-model-parallel-size");
  const perExpert = flags.count("--expert-tensor-parallel-size");
  const tensor = flags.count("--tensor-model-parallel-size");
  const context = flags.count("--context-parallel-size");
  const virtualStages = flags.count("--num-virtual-stages-per-pipeline-rank");
  const layersPerChunk = flags.count("--num-layers-per-virtual-pipeline-stage");
  const firstStageLayers = flags.count("--decoder-first-pipeline-num-layers");
  const lastStageLayers = flags.count("--decoder-last-pipeline-num-layers");
  const pipeline = flags.count("--pipeline-model-parallel-size");
  const chunks = chunksOf(flags);
  if ((pipeline ?? 1) === 1) listWithoutPipeline(flags);
  return {
    ...(tensor === undefined ? {} : { tensor }),
    ...(pipeline === undefined ? {} : { pipeline }),
    // Without a size of their own, experts are sliced as dense layers are.
    ...(expert === undefined ? {} : { expert, expertTensor: perExpert ?? tensor ?? 1 }),
    ...(context === undefined ? {} : { context }),
    ...(virtualStages === undefined ? {} : { virtualStages }),
    ...(layersPerChunk === undefined ? {} : { layersPerChunk }),
    ...(firstStageLayers === undefined ? {} : { firstStageLayers }),
    ...(lastStageLayers === undefined ? {} : { lastStageLayers }),
    ...(chunks === undefined ? {} : { layersOfChunks: chunks }),
    ...(flags.has("--account-for-embedding-in-pipeline-split") ? { embeddingInSplit: true } : {}),
    ...(flags.has("--account-for-loss-in-pipeline-split") ? { lossInSplit: true } : {}),
    ...(flags.has("--sequence-parallel") ? { sequence: true } : {}),
    ...megatronSharding(flags),
    ...(world === undefined ? {} : { world }),
    dataFromWorld: true,
    padVocabularyTo: flags.count("--make-vocab-size-divisible-by") ?? 128,
  };
}

function chunksOf(flags: CommandFlags): readonly number[] | undefined {
  const flag = "--pipeline-model-parallel-layout";
  const written = flags.text(flag);
  const chunks = written === undefined ? undefined : layersOfChunks(written);
  if (written !== undefined && chunks === undefined) {
    const message = `${flag} must be a layout such as Et*3|(tt|)*29m|L, found ${shown(written)}`;
    flags.report("error", "invalid-value", message, flag);
  }
  return chunks;
}

function listWithoutPipeline(flags: CommandFlags): void {
  for (const key of [
    "virtualStages",
    "layersPerChunk",
    "firstStageLayers",
    "lastStageLayers",
  ] as const) {
    const flag = flagOf[key];
    if (!flags.has(flag)) continue;
    const message = `${flag} has no effect with one pipeline rank`;
    const hint = "leave it out, or raise --pipeline-model-parallel-size";
    flags.report("warning", "flag-without-effect", message, flag, hint);
  }
}

/** Selective recomputation has an older flag of its own, and takes no method. */
function recomputeOf(flags: CommandFlags): Pick<ImportedWorkload, "recompute"> {
  const written = flags.text("--recompute-granularity");
  // The older name of recomputing every layer.
  const whole = flags.has("--checkpoint-activations") ? "full" : undefined;
  const granularity = flags.has("--recompute-activations") ? "selective" : (written ?? whole);
  const method = flags.text("--recompute-method");
  const layers = flags.count("--recompute-num-layers");
  if (granularity === undefined) return {};
  if (granularity !== "full" && granularity !== "selective") {
    const message = `--recompute-granularity must be full or selective, found ${shown(granularity)}`;
    flags.report("error", "invalid-value", message, "--recompute-granularity");
    return {};
  }
  return {
    recompute: {
      granularity,
      ...(method === "uniform" || method === "block" ? { method } : {}),
      ...(layers === undefined ? {} : { layers }),
    },
  };
}

function workloadOf(flags: CommandFlags): ImportedWorkload {
  const microBatch = flags.count("--micro-batch-size");
  const batch = flags.count("--global-batch-size");
  const sequence = flags.count("--seq-length");
  return {
    mode: "training",
    ...(batch === undefined ? {} : { batch }),
    ...(microBatch === undefined ? {} : { microBatch }),
    ...(sequence === undefined ? {} : { sequence }),
    ...recomputeOf(flags),
    dtype: "f32",
    ...halfPrecisionOf(flags),
  };
}

function optimizationsOf(flags: CommandFlags): string[] {
  const any = (...names: string[]) => names.filter((name) => flags.has(name)).length > 0;
  const recomputed = any(
    "--recompute-granularity",
    "--recompute-activations",
    "--checkpoint-activations",
  );
  if (any("--recompute-method", "--recompute-num-layers") && !recomputed) {
    const message = "a method of recomputation is given, but no --recompute-granularity";
    flags.report("warning", "recompute-without-granularity", message, "--recompute-method");
  }
  return [
    ...(any("--use-flash-attn", "--attention-backend") ? ["fused-attention"] : []),
    ...(any("--overlap-grad-reduce", "--overlap-param-gather", "--tp-comm-overlap")
      ? ["communication-overlap"]
      : []),
    ...(recomputed ? ["activation-checkpointing"] : []),
    ...(any("--bf16", "--fp16") ? ["mixed-precision"] : []),
  ];
}

/** What a misspelt flag may have meant. */
const known = [
  ...megatronGrammar.switches,
  ...Object.values(flagOf),
  "--num-layers",
  "--hidden-size",
  "--num-attention-heads",
  "--global-batch-size",
  "--micro-batch-size",
  ...Object.keys(notExpressible),
];
