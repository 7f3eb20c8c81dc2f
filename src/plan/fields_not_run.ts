// What a plan says and a run does not do yet: it is named, so that no figure is misread.

import type { Path } from "./document.ts";
import { expertsOnGpus, moeLayers } from "./layers.ts";
import { whyContextNotRun } from "./context.ts";
import { stateCopies } from "./mesh.ts";
import { hasBackwardSlots } from "./pipeline.ts";
import type { Plan } from "./plan.ts";

export interface FieldNotRun {
  readonly path: Path;
  /** What a run does instead. */
  readonly instead: string;
}

export function fieldsNotRun(plan: Plan): readonly FieldNotRun[] {
  const { degrees, model, workload, optimizations } = plan;
  const { sequence = false, tensor = 1, pipeline = 1, zero = 0 } = degrees ?? {};
  const obstacle = whyContextNotRun(plan);
  const overlap = optimizations.indexOf("communication-overlap");
  const when = (condition: boolean, path: Path, instead: string): FieldNotRun[] =>
    condition ? [{ path, instead }] : [];
  return [
    ...when(
      obstacle !== undefined,
      ["parallel", "context"],
      `of the ranks that share a sequence only the first runs, with whole sequences, since ${obstacle}`,
    ),
    ...when(
      overlap >= 0 && sequence && tensor > 1,
      ["optimizations", overlap],
      "with parallel.sequence, only what experts exchange is on its way while a rank computes",
    ),
    ...when(
      workload.optimizer !== undefined &&
        zero >= 2 &&
        pipeline > 1 &&
        model?.tiedEmbeddings === true,
      ["parallel", "zero"],
      "the table that the first and the last stage hold is whole on each of their ranks, with all of its state",
    ),
    ...when(
      workload.optimizer !== undefined && zero >= 1 && hasFewExperts(plan),
      ["parallel", "zero"],
      "the first replicas of a GPU's experts have one expert each, with all of its state, and the others none",
    ),
    ...when(
      model?.sparseAttention !== undefined && model.sparseAttention.topK >= workload.sequence,
      ["model", "sparseAttention"],
      "the indexer may choose every token of a sequence, and attention runs without its choice",
    ),
    ...when(
      workload.recompute !== undefined && !hasBackwardSlots(plan),
      ["workload", "recompute"],
      "without workload.schedule no backward pass runs, for which something is computed again",
    ),
  ];
}

/** Whether a GPU has fewer experts than there are replicas that share them out, which a run does by whole experts. */
function hasFewExperts(plan: Plan): boolean {
  const copies = plan.degrees === undefined ? 1 : stateCopies(plan.degrees);
  return moeLayers(plan).some((layer) => {
    const sharers = layer.expertGroups.length / copies;
    return sharers >= 2 && Math.min(...expertsOnGpus(layer).values()) < sharers;
  });
}
