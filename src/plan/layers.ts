// A plan's layers in order of execution, with what flows into and out of each, and where in the file a
// reader finds them.

import type { Path } from "./document.ts";
import { expertShares, placedExperts } from "./mesh.ts";
import type { ExpertGroup, Groups } from "./groups.ts";
import { type Layer, planLayerOf } from "./layers/layers.ts";
import type { Plan, Stage } from "./plan.ts";
import type { LayerBase } from "./layers/layer.ts";
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
      const own = planLayerOf(layer);
      const outputWidth = own.outputWidth(layer) ?? inputWidth;
      const over = own.aggregates?.(layer);
      const outputRows = over === undefined ? rows : over === "batch" ? 1 : samples;
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
      if (over !== undefined) aggregated = over;
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

/** Those of the tokens, and those of the weights where they are others. Layers that follow from degrees share them. */
export function gpuListsOf({ groups, expertGroups }: LayerBase): GpuList[] {
  return expertGroups === undefined ? [groups] : [groups, expertGroups];
}

export type GpuList = Groups | readonly ExpertGroup[];

/** The same layer on other GPUs. */
export function onGpus(
  layer: Layer,
  groups: (own: Groups) => Groups,
  experts: (own: readonly ExpertGroup[]) => readonly ExpertGroup[],
): Layer {
  return {
    ...layer,
    groups: groups(layer.groups),
    ...(layer.expertGroups === undefined ? {} : { expertGroups: experts(layer.expertGroups) }),
  };
}

/** GPUs of each group that a layer's weights are divided among, be it only one; none where they are not. */
export function tensorSizes(layer: Layer): number[] {
  const { placement } = planLayerOf(layer).leaves(layer);
  if (placement !== "columns" && placement !== "partial") return [];
  // The members of an expert group are alike.
  const lists = layer.expertGroups?.[0]?.slice(0, 1) ?? layer.groups;
  return lists.map(({ length }) => length);
}

/** Every GPU that takes part in a layer of the stage, each once. */
export function gpusOfStage(stage: Stage): number[] {
  // Layers that follow from degrees share their lists, which may be long.
  const lists = new Set(stage.layers.flatMap(gpuListsOf));
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

/** Where the file gives a field of the layer: in the layer itself, or in the model it follows from. */
export function fieldPath(plan: Plan, placed: PlacedLayer, field?: string): Path {
  const { layer, stageIndex, layerIndex } = placed;
  if (plan.model === undefined) {
    return ["stages", stageIndex, "layers", layerIndex, ...(field === undefined ? [] : [field])];
  }
  if (field === undefined) return ["model"];
  return ["model", ...(planLayerOf(layer).inModel?.(field) ?? [field])];
}

/** The layer for a message. Layers that follow from degrees are all alike, and named as one. */
export function nameOf(plan: Plan, { layer, stage, layerIndex }: PlacedLayer): string {
  return plan.model === undefined
    ? `layer ${layerIndex} (${layer.op}) of stage ${JSON.stringify(stage.name)}`
    : (planLayerOf(layer).called ?? `every ${layer.op} layer`);
}

export function listed(gpus: readonly number[]): string {
  return gpus.join(", ");
}
