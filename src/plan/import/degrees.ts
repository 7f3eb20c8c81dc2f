// Degrees and GPUs of the plan from what the sources say of ranks.

import type { Diagnostic } from "../diagnostic.ts";
import { expertDegreesThatFit, ranksPerStage } from "../mesh.ts";
import type { Degrees } from "../plan.ts";
import type { ModelFile } from "../schema_model.ts";
import { type Imported, type ImportedWorkload, type Layout, importNote } from "./note.ts";
import type { DegreesResult, Say } from "./degrees_result.ts";
import { layersOverRanks } from "./pipeline_split.ts";

export function degreesFrom(
  layout: Layout,
  model: ModelFile | undefined,
  sources: readonly Imported[],
  workload: ImportedWorkload = {},
): DegreesResult {
  const diagnostics: Diagnostic[] = [];
  const say: Say = (severity, code, key, message, hint) => {
    const position = sources.map((each) => each.layoutPosition?.(key)).find(Boolean);
    diagnostics.push(importNote(severity, code, message, { position }, hint));
  };
  const { tensor = 1, pipeline = 1, context = 1, world } = layout;
  const perReplica = tensor * pipeline * context;
  const product = `tensor ${tensor} × pipeline ${pipeline}${context > 1 ? ` × context ${context}` : ""}`;
  if (layout.dataFromWorld === true && world !== undefined && world % perReplica !== 0) {
    say(
      "error",
      "degrees-contradict",
      "world",
      `${world} ranks cannot be divided into replicas of ${product} = ${perReplica}`,
      `start a multiple of ${perReplica} ranks, or choose other degrees`,
    );
  }
  const { shardCopies = 1 } = layout;
  const { data, isGiven } = dataFrom(layout, model, workload);
  const ranks = perReplica * data;
  if (world !== undefined && world < ranks && layout.dataFromWorld !== true) {
    say(
      "error",
      "degrees-contradict",
      "world",
      `${product} × data ${data} needs ${ranks} GPUs, but ${world} are visible`,
      "make more GPUs visible, or choose smaller degrees",
    );
  }
  if (layout.sequence === true && tensor === 1) {
    say(
      "info",
      "sequence-parallel-without-tensor",
      "sequence",
      "sequence parallelism splits norms over tensor ranks; with one of them it has no effect",
      "leave it out, or raise the tensor degree",
    );
  }
  const { expert, ...sliced } = expertFrom(layout, model, { tensor, context, data }, say);
  const gpus = layout.dataFromWorld === true ? ranks : Math.max(ranks, world ?? ranks);
  const isSilent = sources.every((each) => Object.keys(each.layout).length === 0);
  if (!isGiven && !isSilent) {
    const why =
      shardCopies > 1
        ? `the fewest that hold ${shardCopies} copies of the sharded state`
        : data > 1
          ? `the fewest that form expert groups of ${expert}`
          : "of one replica";
    say(
      "warning",
      "gpus-not-given",
      "world",
      `no source says on how many GPUs the job runs; the plan has ${ranks}, ${why}`,
      `give their number, as in \`--gpus ${2 * ranks}\``,
    );
  }
  return {
    tensor,
    pipeline,
    data,
    expert,
    gpus,
    more: {
      ...sliced,
      ...(context > 1 ? { context } : {}),
      ...(layout.sequence === true && tensor > 1 ? { sequence: true } : {}),
      ...(layout.zero === undefined ? {} : { zero: layout.zero }),
      ...dataShardFrom(layout, data, say),
      ...layersOverRanks(layout, model, say),
    },
    assumed: isGiven ? [] : ["hardware.gpus"],
    diagnostics,
  };
}

/** Data ranks that share the shards, where not all of them do. */
function dataShardFrom(
  { zero = 0, shardCopies, dataShard }: Layout,
  data: number,
  say: Say,
): Pick<Degrees, "dataShard"> {
  if (zero === 0 || (shardCopies ?? dataShard) === undefined) return {};
  const shared = dataShard ?? data / (shardCopies ?? 1);
  const copies = shardCopies ?? data / shared;
  if (Number.isInteger(shared) && Number.isInteger(copies) && shared * copies === data) {
    return shared === data ? {} : { dataShard: shared };
  }
  const groups = [
    ...(shardCopies === undefined ? [] : [`${shardCopies} groups`]),
    ...(dataShard === undefined ? [] : [`groups of ${dataShard}`]),
  ];
  say(
    "error",
    "degrees-contradict",
    shardCopies === undefined ? "dataShard" : "shardCopies",
    `${data} data ranks cannot be divided into ${groups.join(", into ")}, each with a copy of the sharded state`,
    "start another number of ranks, or choose other groups",
  );
  return {};
}

/**
 * Replicas, from what fixes them: their number, the ranks of the launcher, or the batch, which is micro-batch ×
 * accumulation × replicas. Else as few as hold whole expert groups.
 */
function dataFrom(
  layout: Layout,
  model: ModelFile | undefined,
  { batch, microBatch, accumulation }: ImportedWorkload,
): { readonly data: number; readonly isGiven: boolean } {
  const { tensor = 1, pipeline = 1, context = 1, world, dataFromWorld = false } = layout;
  if (layout.data !== undefined) return { data: layout.data, isGiven: true };
  if (world !== undefined && dataFromWorld) {
    return { data: Math.max(1, Math.floor(world / (tensor * pipeline * context))), isGiven: true };
  }
  if (!dataFromWorld) return { data: 1, isGiven: Object.keys(layout).length > 0 };
  if (batch !== undefined && microBatch !== undefined && accumulation !== undefined) {
    const data = batch / (microBatch * accumulation);
    if (Number.isInteger(data) && data > 0) return { data, isGiven: true };
  }
  const { expert = 1, expertTensor = 1 } = model?.moe === undefined ? {} : layout;
  const group = expert * expertTensor;
  const perCopy = group / greatestDivisor(group, tensor * context);
  return { data: perCopy * (layout.shardCopies ?? 1), isGiven: false };
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** Who holds the experts, as `stageMesh` reads it. */
function expertFrom(
  { expert, expertOverAll, expertTensor }: Layout,
  model: ModelFile | undefined,
  degrees: { readonly tensor: number; readonly context: number; readonly data: number },
  say: Say,
): Pick<Degrees, "expert" | "expertTensor"> {
  const hasExperts = model?.moe !== undefined;
  const ranks = ranksPerStage({ ...degrees, pipeline: 1, expert: 1 });
  const wanted = expert ?? (expertOverAll === true ? ranks : 1);
  if (wanted > 1 && !hasExperts && model !== undefined) {
    say(
      expert === undefined ? "warning" : "error",
      "expert-degree-without-experts",
      "expert",
      `expert parallelism of ${wanted}, but the model has no experts`,
      "leave it out, or give a model with experts",
    );
    return { expert: 1 };
  }
  if (!hasExperts) return { expert: 1 };
  // Without expert parallelism the tensor ranks slice each expert, unless the source says otherwise.
  const usual = wanted === 1 ? degrees.tensor : 1;
  const slices = expertTensor ?? usual;
  if (ranks % (wanted * slices) !== 0) {
    const sliced = slices === 1 ? "" : ` × expert-tensor ${slices}`;
    const { tensor, context, data } = degrees;
    say(
      "error",
      "degrees-contradict",
      "expert",
      `expert groups of ${wanted}${sliced} cannot be formed from tensor ${tensor} × ${context === 1 ? "" : `context ${context} × `}data ${data} = ${ranks} ranks`,
      `choose one of ${expertDegreesThatFit({ ...degrees, pipeline: 1, expert: wanted, expertTensor: slices }).join(", ")}`,
    );
  }
  return { expert: wanted, ...(slices === usual ? {} : { expertTensor: slices }) };
}
