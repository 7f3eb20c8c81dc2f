// Plans written as explicit stages: each layer names its GPUs, communications stand between stages.

import type { Diagnostic } from "./diagnostic.ts";
import type { Communication, Plan, Stage } from "./plan.ts";
import { type Layer, planLayerOf } from "./layers/layers.ts";
import type { Groups } from "./groups.ts";
import { parseBytes } from "./quantity.ts";
import type { PlanFile, StageFile } from "./schema.ts";
import { groupsOf, type ParallelFile } from "./layers/parallel.ts";

export interface ExplicitParts {
  readonly parts: Pick<Plan, "stages" | "communications">;
  readonly diagnostics: readonly Diagnostic[];
}

export function explicitStages(file: PlanFile, written: readonly StageFile[]): ExplicitParts {
  const diagnostics: Diagnostic[] = [];
  let groups: Groups = [];
  const stages = written.map((stage, s): Stage => {
    const layers = stage.layers.map((layer, l): Layer => {
      if (layer.parallel !== undefined) groups = tokenGroups(layer.parallel, groups);
      if (groups.length === 0) diagnostics.push(noGpus(s, l));
      return planLayerOf(layer).read(layer, { name: `${l}.${layer.op}`, groups });
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
}

/** The schema has already refused texts that are no quantity. */
function bytesOf(written: number | string): number {
  return typeof written === "number" ? written : (parseBytes(written) ?? 0);
}

function noGpus(stage: number, layer: number): Diagnostic {
  return {
    code: "layer-without-gpus",
    severity: "error",
    path: ["stages", stage, "layers", layer],
    message: "no layer before this one names GPUs, nor does it",
    hint: 'add "parallel": { "kind": "replicated", "gpus": [0] }',
  };
}

function noSuchGap(index: number, after: string | undefined): Diagnostic {
  return {
    code: "communication-after-no-stage",
    severity: "error",
    path: ["communications", index, ...(after === undefined ? [] : ["after"])],
    message:
      after === undefined
        ? `communication ${index} follows stage ${index}, but no two stages meet there`
        : `no stage named ${JSON.stringify(after)} is followed by another stage`,
    hint: "name the stage that the communication follows with after",
  };
}

/** For experts, `gpus` says where they live; their tokens stay where the layer before left them. */
function tokenGroups(parallel: ParallelFile, before: Groups): Groups {
  if (parallel.tokenGpus !== undefined) return [parallel.tokenGpus];
  if (parallel.kind === "expert" && before.length > 0) return before;
  return groupsOf(parallel);
}
