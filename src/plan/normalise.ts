// From a plan as it was written, in either form, to the one `Plan` with every default filled in.
//
// It makes a plan even where rules are broken (sizes that do not divide, GPUs that do not exist), so that
// the rules can say so all at once; it refuses only what has no meaning at all.

import { dataSetOf } from "./data_set.ts";
import { optimizerOf } from "./optimizer.ts";
import { assumedPaths } from "./assumed.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { isBrainFloat, precisionOf } from "./dtype_names.ts";
import type { Path } from "./document.ts";
import { hardwareOf } from "./hardware.ts";
import { ranksPerStage, worldOf } from "./mesh.ts";
import type { Claims, Plan, PlanNote, Workload } from "./plan.ts";
import { parseBytes } from "./quantity.ts";
import type { PlanFile } from "./schema.ts";
import { maxGpus } from "./schema_numbers.ts";
import { contextTokens, servingOf } from "./serving.ts";
import { degreesOf, modelOf, stagesFromDegrees } from "./stages_from_degrees.ts";
import { explicitStages } from "./stages_explicit.ts";

export interface Normalised {
  readonly plan?: Plan;
  readonly diagnostics: readonly Diagnostic[];
}

export function normalise(file: PlanFile): Normalised {
  const misfit = misfitOfServing(file);
  if (misfit !== undefined) return { diagnostics: [misfit] };
  const { stages, model, parallel } = file;
  if (stages !== undefined) {
    const extra = model !== undefined ? "model" : parallel !== undefined ? "parallel" : undefined;
    if (extra !== undefined) return { diagnostics: [twoForms(extra)] };
    const explicit = explicitStages(file, stages);
    if (explicit.diagnostics.length > 0) return { diagnostics: explicit.diagnostics };
    const places = explicit.parts.stages
      .flatMap(({ layers }) => layers)
      .reduce((sum, { groups }) => sum + groups.reduce((all, { length }) => all + length, 0), 0);
    if (places > maxPlaces) return { diagnostics: [planTooLarge(["stages"], places)] };
    return { plan: { ...commonParts(file), ...explicit.parts }, diagnostics: [] };
  }
  if (model === undefined) return { diagnostics: [noLayers] };
  const degrees = degreesOf(file);
  const world = worldOf(degrees);
  if (world > maxGpus) return { diagnostics: [worldTooLarge(world)] };
  const complete = modelOf(model);
  const places = complete.layers * ranksPerStage(degrees);
  if (places > maxPlaces) return { diagnostics: [planTooLarge(["model", "layers"], places)] };
  return {
    plan: {
      ...commonParts(file),
      stages: stagesFromDegrees(file, complete, degrees),
      communications: [],
      degrees,
      model: complete,
    },
    diagnostics: file.communications === undefined ? [] : [communicationsOfDegrees],
  };
}

function twoForms(extra: string): Diagnostic {
  return {
    code: "plan-has-two-forms",
    severity: "error",
    path: [extra],
    message: `the plan gives both stages and ${extra}`,
    hint: "give either stages, or model and parallel degrees",
  };
}

const noLayers: Diagnostic = {
  code: "plan-has-no-layers",
  severity: "error",
  path: [],
  message: "the plan gives neither stages nor a model",
  hint: "give stages, or model and parallel degrees",
};

const communicationsOfDegrees: Diagnostic = {
  code: "communications-without-stages",
  severity: "error",
  path: ["communications"],
  message: "communications stand between explicit stages, but this plan is written with degrees",
  hint: "leave them out: they follow from the degrees",
};

function worldTooLarge(world: number): Diagnostic {
  return {
    code: "world-too-large",
    severity: "error",
    path: ["parallel"],
    message: `tensor × context × pipeline × data asks for ${world} GPUs; at most ${maxGpus} are accepted`,
    hint: "choose smaller degrees",
  };
}

/** Layers times the GPUs that each is on: beyond it checking would take more than a second or two. */
const maxPlaces = 1_000_000;
function planTooLarge(path: Path, places: number): Diagnostic {
  return {
    code: "plan-too-large",
    severity: "error",
    path,
    message: `the layers stand on ${places} GPUs in all; at most ${maxPlaces} are accepted`,
    hint: "use fewer layers or GPUs: one pipeline stage shows what all do",
  };
}

function servingKeyElsewhere(key: string): Diagnostic {
  return {
    code: "serving-key-without-serving",
    severity: "error",
    path: ["workload", key],
    message: `workload.${key} is of serving, and this plan's mode is another`,
    hint: "set workload.mode to serving, or leave the key out",
  };
}

const sequenceOfServing: Diagnostic = {
  code: "sequence-of-serving",
  severity: "error",
  path: ["workload", "sequence"],
  message: "a plan that serves has input and output tokens, and no sequence beside",
  hint: "give workload.inputTokens and workload.outputTokens alone",
};

function servingTokensMissing(key: "inputTokens" | "outputTokens"): Diagnostic {
  return {
    code: "serving-tokens-missing",
    severity: "error",
    path: ["workload"],
    message: `a plan that serves needs workload.${key}, the tokens that each request ${key === "inputTokens" ? "comes with" : "is given"}`,
    hint: `add workload.${key}`,
  };
}

function commonParts(file: PlanFile) {
  return {
    name: file.name,
    hardware: hardwareOf(file.hardware, precisionOf(file.workload.dtype)),
    workload: workloadOf(file.workload, file.optimizations ?? []),
    optimizations: file.optimizations ?? [],
    claims: claimsOf(file.claims ?? {}),
    assumed: assumedPaths(file.assumed ?? []),
    notes: notesOf(file),
  };
}

function workloadOf(file: PlanFile["workload"], optimizations: readonly string[]): Workload {
  const { mode = "inference", batch, microBatches = 1, sequence = 1, seed = 0 } = file;
  const { schedule, recompute, optimizer, data } = file;
  const dtype = precisionOf(file.dtype);
  const common = {
    batch,
    microBatches,
    dtype,
    seed,
    ...(schedule === undefined ? {} : { schedule }),
    ...(recompute === undefined ? {} : { recompute }),
    ...(optimizer === undefined
      ? {}
      : { optimizer: optimizerOf(optimizer, dtype, batch * sequence) }),
    ...(data === undefined ? {} : { data: dataSetOf(data, optimizations) }),
  };
  return mode === "serving"
    ? { ...common, mode, sequence: contextTokens(file), serving: servingOf(file, batch, dtype) }
    : { ...common, mode, sequence };
}

const servingKeyNames = [
  "requests",
  "inputTokens",
  "outputTokens",
  "cacheDtype",
  "pageTokens",
  "prefillChunk",
  "scheduler",
  "sampling",
] as const;

/** Keys of serving elsewhere, or serving without what it is about. */
function misfitOfServing({ workload }: PlanFile): Diagnostic | undefined {
  if (workload.mode !== "serving") {
    const key = servingKeyNames.find((each) => workload[each] !== undefined);
    return key && servingKeyElsewhere(key);
  }
  if (workload.sequence !== undefined) return sequenceOfServing;
  const missing = (["inputTokens", "outputTokens"] as const).find(
    (key) => workload[key] === undefined,
  );
  return missing && servingTokensMissing(missing);
}

const brainFloat: PlanNote = {
  code: "bf16-as-f16",
  message: "bfloat16 is run as f16, which is as wide",
};

function notesOf({ notes = [], workload }: PlanFile): readonly PlanNote[] {
  return isBrainFloat(workload.dtype) && notes.every(({ code }) => code !== brainFloat.code)
    ? [...notes, brainFloat]
    : notes;
}

function claimsOf(file: NonNullable<PlanFile["claims"]>): Claims {
  const { memoryAvailable, kvCacheBytes, ...figures } = file;
  return {
    ...figures,
    ...(memoryAvailable === undefined ? {} : { memoryAvailable: bytesOf(memoryAvailable) }),
    ...(kvCacheBytes === undefined ? {} : { kvCacheBytes: bytesOf(kvCacheBytes) }),
  };
}

/** The schema has already refused texts that are no quantity. */
function bytesOf(written: number | string): number {
  return typeof written === "number" ? written : (parseBytes(written) ?? 0);
}
