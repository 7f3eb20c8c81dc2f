// Plans written as explicit stages: each layer names its GPUs, communications stand between stages.

import type { Diagnostic } from "./diagnostic.ts";
import type {
  Communication,
  ExpertGroup,
  Groups,
  Layer,
  LinearSplit,
  Plan,
  Stage,
} from "./plan.ts";
import { parseBytes } from "./quantity.ts";
import type { PlanFile, StageFile } from "./schema.ts";
import type { LayerFile, ParallelFile } from "./schema_layers.ts";

export interface ExplicitParts {
  readonly parts: Pick<Plan, "stages" | "communications">;
  readonly diagnostics: readonly Diagnostic[];
}

export const explicitStages = (file: PlanFile, written: readonly StageFile[]): ExplicitParts => {
  const diagnostics: Diagnostic[] = [];
  let groups: Groups = [];
  const stages = written.map((stage, s): Stage => {
    const layers = stage.layers.map((layer, l): Layer => {
      if (layer.parallel !== undefined) groups = tokenGroups(layer.parallel, groups);
      if (groups.length === 0) diagnostics.push(noGpus(s, l));
      return explicitLayer(layer, l, groups);
    });
    return { name: stage.name, layers };
  });
  const communications = (file.communications ?? []).map((communication, i): Communication => {
    const { after, payload, ...rest } = communication;
    const index = after === undefined ? i : written.findIndex(({ name }) => name === after);
    if (index < 0 || index >= written.length - 1) diagnostics.push(noSuchGap(i, after));
    return {
      ...rest,
      after: index,
      ...(payload === undefined ? {} : { payload: bytesOf(payload) }),
    };
  });
  return { parts: { stages, communications }, diagnostics };
};

/** The schema has already refused texts that are no quantity. */
const bytesOf = (written: number | string): number =>
  typeof written === "number" ? written : (parseBytes(written) ?? 0);

const noGpus = (stage: number, layer: number): Diagnostic => ({
  code: "layer-without-gpus",
  severity: "error",
  path: ["stages", stage, "layers", layer],
  message: "no layer before this one names GPUs, nor does it",
  hint: 'add "parallel": { "kind": "replicated", "gpus": [0] }',
});

const noSuchGap = (index: number, after: string | undefined): Diagnostic => ({
  code: "communication-after-no-stage",
  severity: "error",
  path: ["communications", index, ...(after === undefined ? [] : ["after"])],
  message:
    after === undefined
      ? `communication ${index} follows stage ${index}, but no two stages meet there`
      : `no stage named ${JSON.stringify(after)} is followed by another stage`,
  hint: "name the stage that the communication follows with after",
});

/** The replica groups of a layer: a list of lists as it is, a flat list cut into `replicas` parts. */
export const groupsOf = (parallel: ParallelFile): Groups => {
  const { gpus, kind, replicas } = parallel;
  if (isGrouped(gpus)) return gpus;
  const parts = replicas ?? (kind === "data" ? gpus.length : 1);
  const size = Math.max(1, Math.floor(gpus.length / parts));
  const count = Math.max(1, Math.min(parts, gpus.length));
  return Array.from({ length: count }, (_, i) =>
    gpus.slice(i * size, i === count - 1 ? undefined : (i + 1) * size),
  );
};

export const isGrouped = (gpus: ParallelFile["gpus"]): gpus is number[][] => Array.isArray(gpus[0]);

/** For experts, `gpus` says where they live; their tokens stay where the layer before left them. */
const tokenGroups = (parallel: ParallelFile, before: Groups): Groups => {
  if (parallel.tokenGpus !== undefined) return [parallel.tokenGpus];
  if (parallel.kind === "expert" && before.length > 0) return before;
  return groupsOf(parallel);
};

/**
 * `expert` gives each GPU of a list whole experts; `tensor` gives it a slice of every expert, `data` all of them.
 * A list of lists has every expert in each list.
 */
const expertGroupsOf = (parallel: ParallelFile): ExpertGroup[] => {
  const { kind, gpus } = parallel;
  if (kind !== "expert") return groupsOf(parallel).map((group) => [group]);
  return (isGrouped(gpus) ? gpus : [gpus]).map((list) => list.map((gpu) => [gpu]));
};

const splitOf = ({ kind }: ParallelFile): LinearSplit =>
  kind === "column" || kind === "row" ? kind : "replicated";

const explicitLayer = (layer: LayerFile, index: number, groups: Groups): Layer => {
  const base = { name: `${index}.${layer.op}`, groups };
  switch (layer.op) {
    case "linear": {
      const { parallel, ...rest } = layer;
      return { ...base, activation: "none", ...rest, split: splitOf(parallel) };
    }
    case "embedding": {
      const { parallel, ...rest } = layer;
      return { ...base, ...rest, split: splitOf(parallel) };
    }
    case "attention": {
      const { parallel: _, ...rest } = layer;
      // Where hidden is no multiple of heads, a rule says so.
      const headDim = Math.max(1, Math.floor(rest.hidden / rest.heads));
      return { ...base, kvHeads: rest.heads, headDim, causal: true, ...rest };
    }
    case "mlp": {
      const { parallel: _, ...rest } = layer;
      return { ...base, activation: "gelu", ...rest };
    }
    case "moe": {
      const { parallel, topK = 1, ...rest } = layer;
      const expertGroups = expertGroupsOf(parallel);
      return { ...base, activation: "gelu", renormalise: topK > 1, ...rest, topK, expertGroups };
    }
    case "norm": {
      const { parallel: _, ...rest } = layer;
      return { ...base, norm: "rms", epsilon: 1e-5, ...rest };
    }
    case "residual": {
      const { parallel: _, ...rest } = layer;
      return { ...base, ...rest };
    }
    case "aggregate": {
      const { parallel: _, ...rest } = layer;
      return { ...base, over: "sequence", ...rest };
    }
  }
};
