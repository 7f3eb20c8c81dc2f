// A plan's layers in order of execution, with what flows into and out of each, and where in the file a
// reader finds them.

import type { Path } from "./document.ts";
import { expertShares, placedExperts } from "./mesh.ts";
import type { ExpertGroup, Groups, LinearSplit } from "./groups.ts";
import { type Layer, planLayerOf } from "./layers/layers.ts";
import type { Plan, Stage } from "./plan.ts";
import type { MoeLayer } from "./layers/moe.ts";

export interface PlacedLayer {
  readonly layer: Layer;
  readonly stage: Stage;
  readonly stageIndex: number;
  readonly layerIndex: number;
  /** Columns that the layers before hand over; undefined where nothing fixes them. */
  readonly inputWidth: number | undefined;
  readonly outputWidth: number | undefined;
  /** Rows of one micro-batch, over all replicas. */
  readonly inputRows: number;
  readonly outputRows: number;
  /** What an aggregate before this layer has reduced to one row: nothing, each sample, or everything. */
  readonly aggregated: "no" | "sequence" | "batch";
}

export function placedLayers(plan: Plan): PlacedLayer[] {
  const { batch, microBatches, sequence } = plan.workload;
  const samples = batch / microBatches;
  let width: number | undefined;
  let rows = samples * sequence;
  let aggregated: PlacedLayer["aggregated"] = "no";
  return plan.stages.flatMap((stage, stageIndex) =>
    stage.layers.map((layer, layerIndex): PlacedLayer => {
      const inputWidth = width ?? inputWidthOf(layer);
      const outputWidth = planLayerOf(layer).outputWidth(layer) ?? inputWidth;
      const outputRows = layer.op !== "aggregate" ? rows : layer.over === "batch" ? 1 : samples;
      const placed = {
        layer,
        stage,
        stageIndex,
        layerIndex,
        inputWidth,
        outputWidth,
        inputRows: rows,
        outputRows,
        aggregated,
      };
      if (layer.op === "aggregate") aggregated = layer.over;
      width = outputWidth;
      rows = outputRows;
      return placed;
    }),
  );
}

/** Columns that a layer demands of its input; token ids and free layers demand none. */
export function inputWidthOf(layer: Layer): number | undefined {
  return planLayerOf(layer).inputWidth(layer);
}

/** Members of one tensor group of the layer. */
export function groupSize(layer: Layer): number {
  return layer.groups[0]?.length ?? 1;
}

/** Every GPU that takes part in a layer of the stage, each once. */
export function gpusOfStage(stage: Stage): number[] {
  // Layers that follow from degrees share their lists, which may be long.
  const lists = new Set<Groups | readonly ExpertGroup[]>();
  for (const layer of stage.layers) {
    lists.add(layer.groups);
    if (layer.op === "moe") lists.add(layer.expertGroups);
  }
  const gpus = new Set<number>();
  for (const list of lists) for (const each of list.flat(2)) gpus.add(each);
  return [...gpus];
}

/** GPUs that the plan uses, in order. */
export function usedGpus(plan: Plan): number[] {
  const used = new Set<number>();
  for (const stage of plan.stages) for (const gpu of gpusOfStage(stage)) used.add(gpu);
  return [...used].toSorted((a, b) => a - b);
}

/** Indices into `plan.communications`, in order, of those that follow a stage. */
export function communicationsAfter(plan: Plan, stageIndex: number): number[] {
  return plan.communications.flatMap(({ after }, i) => (after === stageIndex ? [i] : []));
}

export function moeLayers({ stages }: Pick<Plan, "stages">): MoeLayer[] {
  return stages.flatMap(({ layers }) => layers.filter((layer) => layer.op === "moe"));
}

/** Experts on each GPU that holds some; a slice of an expert counts as the expert. */
export function expertsOnGpus(layer: MoeLayer): Map<number, number> {
  const held = new Map<number, number>();
  for (const group of layer.expertGroups) {
    const shares = expertShares(placedExperts(layer), group.length);
    for (const [member, gpus] of group.entries())
      for (const gpu of gpus) held.set(gpu, (held.get(gpu) ?? 0) + (shares[member] ?? 0));
  }
  return held;
}

/** How the layer leaves its result on a tensor group of several GPUs; else every GPU has all of it. */
export function resultSplit(layer: Layer): LinearSplit {
  const splits = layer.op === "linear" || layer.op === "embedding";
  return splits && groupSize(layer) > 1 ? layer.split : "replicated";
}

/** Where the file gives a field of the layer: in the layer itself, or in the model it follows from. */
export function fieldPath(plan: Plan, placed: PlacedLayer, field?: string): Path {
  const { layer, stageIndex, layerIndex } = placed;
  if (plan.model === undefined) {
    return ["stages", stageIndex, "layers", layerIndex, ...(field === undefined ? [] : [field])];
  }
  if (field === undefined) return ["model"];
  if (layer.op === "linear") return ["model", field === "out" ? "vocabulary" : "hidden"];
  const isExpertField = layer.op === "moe" && field !== "hidden";
  return isExpertField ? ["model", "moe", field] : ["model", field];
}

/** The layer for a message. Layers that follow from degrees are all alike, and named as one. */
export function nameOf(plan: Plan, { layer, stage, layerIndex }: PlacedLayer): string {
  return plan.model === undefined
    ? `layer ${layerIndex} (${layer.op}) of stage ${JSON.stringify(stage.name)}`
    : layer.op === "linear"
      ? "the LM head"
      : `every ${layer.op} layer`;
}

export function listed(gpus: readonly number[]): string {
  return gpus.join(", ");
}
