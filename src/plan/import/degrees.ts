// Degrees and GPUs of the plan from what the sources say of ranks.

import type { Diagnostic } from "../diagnostic.ts";
import { expertDegreesThatFit, ranksPerStage } from "../mesh.ts";
import type { Degrees } from "../plan.ts";
import type { PlanFile } from "../schema.ts";
import type { ModelFile } from "../schema_model.ts";
import { type Imported, type Layout, note } from "./note.ts";

export interface DegreesResult {
  readonly tensor: number;
  readonly pipeline: number;
  readonly data: number;
  readonly expert: number;
  readonly gpus: number;
  /** What the plan says of parallelism beside the four degrees. */
  readonly more: Partial<NonNullable<PlanFile["parallel"]>>;
  /** Paths of plan values that no source gives. */
  readonly assumed: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

type Say = (
  severity: Diagnostic["severity"],
  code: string,
  key: keyof Layout,
  message: string,
  hint: string,
) => void;

export const degreesFrom = (
  layout: Layout,
  model: ModelFile | undefined,
  sources: readonly Imported[],
): DegreesResult => {
  const diagnostics: Diagnostic[] = [];
  const say: Say = (severity, code, key, message, hint) => {
    const position = sources.map((each) => each.layoutPosition?.(key)).find(Boolean);
    diagnostics.push(note(severity, code, message, { position }, hint));
  };
  const { tensor = 1, pipeline = 1, context = 1, world } = layout;
  const perReplica = tensor * pipeline * context;
  const product = `tensor ${tensor} × pipeline ${pipeline}${context > 1 ? ` × context ${context}` : ""}`;
  let data = layout.data ?? 1;
  if (layout.data === undefined && layout.dataFromWorld === true && world !== undefined) {
    if (world % perReplica !== 0) {
      say(
        "error",
        "degrees-contradict",
        "world",
        `${world} ranks cannot be divided into replicas of ${product} = ${perReplica}`,
        `start a multiple of ${perReplica} ranks, or choose other degrees`,
      );
    }
    data = Math.max(1, Math.floor(world / perReplica));
  }
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
  // A launcher's ranks that are not given are one replica's.
  const unsaid = layout.dataFromWorld === true && world === undefined && layout.data === undefined;
  const assumed = sources.every((each) => Object.keys(each.layout).length === 0) || unsaid;
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
      ...pipelineOf(layout, model, say),
    },
    assumed: assumed ? ["hardware.gpus"] : [],
    diagnostics,
  };
};

/** How layers are dealt to pipeline ranks, where that is not evenly and in one piece. */
const pipelineOf = (
  layout: Layout,
  model: ModelFile | undefined,
  say: Say,
): DegreesResult["more"] => {
  const { pipeline = 1, virtualStages, layersPerChunk } = layout;
  // More ranks than a plan takes are refused by its schema.
  if (model === undefined || pipeline === 1 || pipeline > 10_000) return {};
  const layersPerStage = unevenStages(layout, model.layers, pipeline);
  if (layersPerStage?.some((layers) => !Number.isInteger(layers) || layers < 1) === true) {
    say(
      "error",
      "degrees-contradict",
      layout.firstStageLayers === undefined ? "lastStageLayers" : "firstStageLayers",
      `${model.layers} layers do not divide among ${pipeline} pipeline ranks: ${layersPerStage.slice(0, 8).join(", ")}`,
      "mend the layers of the first and the last rank",
    );
    return {};
  }
  const chunks = virtualStages ?? (layersPerChunk && model.layers / pipeline / layersPerChunk);
  if (chunks !== undefined && !Number.isInteger(chunks)) {
    say(
      "error",
      "degrees-contradict",
      "layersPerChunk",
      `${model.layers} layers on ${pipeline} pipeline ranks do not come in chunks of ${layersPerChunk}`,
      `choose a divisor of ${Math.floor(model.layers / pipeline)}`,
    );
    return {};
  }
  return {
    ...(layersPerStage === undefined ? {} : { layersPerStage }),
    ...(chunks === undefined || chunks === 1 ? {} : { virtualStages: chunks }),
  };
};

const unevenStages = (
  { firstStageLayers: first, lastStageLayers: last, unevenPipeline }: Layout,
  layers: number,
  pipeline: number,
): number[] | undefined => {
  if (first !== undefined || last !== undefined) {
    const others = pipeline - (first === undefined ? 0 : 1) - (last === undefined ? 0 : 1);
    const left = layers - (first ?? 0) - (last ?? 0);
    const inner = Array.from({ length: others }, () => left / others);
    return [
      ...(first === undefined ? [] : [first]),
      ...inner,
      ...(last === undefined ? [] : [last]),
    ];
  }
  const rest = layers % pipeline;
  if (unevenPipeline !== true || rest === 0 || layers < pipeline) return undefined;
  const base = Math.floor(layers / pipeline);
  const firstOfMore = pipeline - 1 - rest;
  return Array.from({ length: pipeline }, (_, p) =>
    p >= firstOfMore && p < pipeline - 1 ? base + 1 : base,
  );
};

/** Who holds the experts, as `stageMesh` reads it. */
const expertFrom = (
  { expert, expertOverAll, expertTensor }: Layout,
  model: ModelFile | undefined,
  degrees: { readonly tensor: number; readonly context: number; readonly data: number },
  say: Say,
): Pick<Degrees, "expert" | "expertTensor"> => {
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
};
