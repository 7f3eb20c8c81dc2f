// Fewer layers: each pipeline rank keeps a block in each of its chunks, and the model one of each kind.

import type { PlanFile } from "../schema.ts";
import { degreesOf } from "../stages_from_degrees.ts";
import { type Dimension, multipleDown } from "./dimension.ts";
import { leastLayers, withLayers } from "./layer_kinds.ts";

export const layers: Dimension = {
  name: "layers",
  full: ({ model }) => model?.layers,
  least(file) {
    const { model } = file;
    if (model === undefined) return 1;
    const chunks = chunksOf(file);
    const { layersPerStage } = degreesOf(file);
    if (layersPerStage !== undefined) return layersOf(stagesDown(file, layersPerStage, 0));
    const least = Math.ceil(leastLayers(model) / chunks) * chunks;
    return Math.min(model.layers, least);
  },
  reduce(file, size) {
    const { model, parallel } = file;
    if (model === undefined || size >= model.layers) return file;
    const { layersPerStage } = degreesOf(file);
    if (layersPerStage === undefined) {
      const layerCount = multipleDown(Math.max(size, layers.least(file)), chunksOf(file));
      return withRecompute({ ...file, model: withLayers(model, layerCount) }, layerCount);
    }
    const stages = stagesDown(file, layersPerStage, size);
    const reduced = withLayers(model, layersOf(stages));
    return withRecompute(
      { ...file, model: reduced, parallel: { ...parallel, layersPerStage: stages } },
      Math.max(...stages) * stages.length,
    );
  },
};

function chunksOf(file: PlanFile): number {
  const { pipeline, virtualStages = 1 } = degreesOf(file);
  return pipeline === 1 ? 1 : pipeline * virtualStages;
}

function layersOf(stages: readonly number[]): number {
  return stages.reduce((sum, own) => sum + own, 0);
}

/** Of stages of unequal length each its share, whole chunks, and so many that each kind of block has its place. */
function stagesDown(file: PlanFile, full: readonly number[], size: number): number[] {
  const { virtualStages: chunk = 1 } = degreesOf(file);
  const share = size / layersOf(full);
  const stages = full.map((own) => Math.min(own, multipleDown(own * share, chunk)));
  const wanted = file.model === undefined ? 1 : leastLayers(file.model);
  while (layersOf(stages) < wanted) {
    const shares = stages.map((own, at) => own / (full[at] ?? 1));
    const emptiest = shares.indexOf(Math.min(...shares));
    stages[emptiest] = (stages[emptiest] ?? 0) + chunk;
  }
  return stages;
}

/** Layers that are computed again are layers of a stage. */
function withRecompute(file: PlanFile, layerCount: number): PlanFile {
  const { workload } = file;
  const { recompute } = workload;
  if (recompute?.layers === undefined) return file;
  const perChunk = Math.max(1, Math.floor(layerCount / chunksOf(file)));
  const again = Math.min(recompute.layers, perChunk);
  return { ...file, workload: { ...workload, recompute: { ...recompute, layers: again } } };
}
