// Degrees and GPUs of the plan from what the sources say of ranks.

import type { Diagnostic } from "../diagnostic.ts";
import type { ModelFile } from "../schema_model.ts";
import { type Imported, type Layout, note } from "./note.ts";

export interface DegreesResult {
  readonly tensor: number;
  readonly pipeline: number;
  readonly data: number;
  readonly expert: number;
  readonly gpus: number;
  /** Paths of plan values that no source gives. */
  readonly assumed: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

export const degreesFrom = (
  layout: Layout,
  model: ModelFile | undefined,
  sources: readonly Imported[],
): DegreesResult => {
  const diagnostics: Diagnostic[] = [];
  const say = (
    severity: Diagnostic["severity"],
    code: string,
    key: keyof Layout,
    message: string,
    hint: string,
  ): void => {
    const position = sources.map((each) => each.layoutPosition?.(key)).find(Boolean);
    diagnostics.push(note(severity, code, message, { position }, hint));
  };
  const { tensor = 1, pipeline = 1, world } = layout;
  const perReplica = tensor * pipeline;
  let data = layout.data ?? 1;
  if (layout.data === undefined && layout.dataFromWorld === true && world !== undefined) {
    if (world % perReplica !== 0) {
      say(
        "error",
        "degrees-contradict",
        "world",
        `${world} ranks cannot be divided into replicas of tensor ${tensor} × pipeline ${pipeline} = ${perReplica}`,
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
      `tensor ${tensor} × pipeline ${pipeline} × data ${data} needs ${ranks} GPUs, but ${world} are visible`,
      "make more GPUs visible, or choose smaller degrees",
    );
  }
  const expert = expertFrom(layout, model, tensor, data, say);
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
    assumed: assumed ? ["hardware.gpus"] : [],
    diagnostics,
  };
};

const expertFrom = (
  { expert, expertOverAll, splitsExperts }: Layout,
  model: ModelFile | undefined,
  tensor: number,
  data: number,
  say: (
    severity: Diagnostic["severity"],
    code: string,
    key: keyof Layout,
    message: string,
    hint: string,
  ) => void,
): number => {
  const hasExperts = model?.moe !== undefined;
  const wanted = expert ?? (expertOverAll === true ? tensor * data : 1);
  if (wanted > 1 && !hasExperts && model !== undefined) {
    say(
      expert === undefined ? "warning" : "error",
      "expert-degree-without-experts",
      "expert",
      `expert parallelism of ${wanted}, but the model has no experts`,
      "leave it out, or give a model with experts",
    );
    return 1;
  }
  if (!hasExperts) return 1;
  if (wanted > 1 && (tensor * data) % wanted !== 0) {
    say(
      "error",
      "degrees-contradict",
      "expert",
      `expert groups of ${wanted} cannot be formed from tensor ${tensor} × data ${data} = ${tensor * data} ranks`,
      `choose a divisor of ${tensor * data}`,
    );
  } else if (expert !== undefined && wanted > 1 && tensor * data > wanted) {
    say(
      "warning",
      "expert-replicas-not-expressible",
      "expert",
      `a stage of ${tensor * data} ranks has ${(tensor * data) / wanted} copies of its experts; the plan keeps one`,
      "read load and memory per GPU with that in mind",
    );
  }
  if (splitsExperts !== true || tensor === 1) return wanted;
  say(
    "warning",
    "expert-slices-not-expressible",
    "splitsExperts",
    `every expert is split over ${tensor} tensor ranks; the plan spreads whole experts over them instead`,
    "bytes and FLOPs per rank are the same where tensor divides the experts",
  );
  return tensor;
};
