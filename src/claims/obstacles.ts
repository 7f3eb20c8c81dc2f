// Why a run cannot decide a plan's claims: its adapters do not speak for the plan's GPUs, or what ran is not the work
// that was promised.

import { assumedAmong } from "../plan/assumed.ts";
import { gpuNamed } from "../plan/gpu_names.ts";
import { notesThatBear } from "../plan/import/note_bearing.ts";
import type { Plan } from "../plan/plan.ts";
import { fieldsNotRun } from "../plan/fields_not_run.ts";
import { mixedPrecision, unknownOptimizations } from "../plan/optimizations.ts";
import { featuresBeyondLayers } from "../plan/features_beyond_layers.ts";
import { servingKeys } from "../plan/serving.ts";
import type { SimulatedLink } from "../program/simulate/link_cost.ts";
import type { JudgedAdapter, Measurements } from "./case.ts";
import type { ClaimKind } from "./table.ts";
import { number, quantity, someOf } from "./words.ts";

/** What may keep a claim of each kind from being decided, in a phrase. */
export const obstaclesByKind: Readonly<Record<ClaimKind, string>> = {
  speed:
    "software or shared adapters, other GPUs than the plan's, emulated links, training mode, assumed values, what an import left out, degrees that are only checked, a measurement that contradicts itself; load by others widens the interval",
  memory:
    "assumed values, training state that no run holds, what an import left out, quantised weights, degrees that are only checked, a cache that decoding reads and the plan does not name",
  split: "assumed values, redundant experts that the plan does not name",
  scaling:
    "no run on one GPU (`shardbench scaling` makes one), exclusive timing in place of GPUs of their own, GPUs that are not alike, and what keeps speed from being decided",
};

const workloadPaths = [
  "mode",
  "batch",
  "microBatches",
  "sequence",
  "dtype",
  "schedule",
  "recompute",
  ...Object.keys(servingKeys),
].map((key) => `workload.${key}`);
/** What the bytes on a GPU lean on. */
const memoryPaths = ["model", "stages", ...workloadPaths, "parallel", "communications"];
/** What the work of a step leans on. */
const workPaths = [...memoryPaths, "optimizations"];

/** Empty where a run on these adapters decides how fast the plan is. */
export function speedObstacles(
  plan: Plan,
  run: Pick<Measurements, "adapters" | "link">,
): readonly string[] {
  const assumed = assumedAmong(plan, workPaths);
  return [
    ...adapterObstacles(plan, run.adapters),
    ...(run.link === undefined ? [] : [describeLink(run.link)]),
    ...(plan.workload.mode === "training" && plan.workload.optimizer === undefined
      ? [
          plan.workload.schedule === undefined
            ? "mode is training, but only its forward pass ran"
            : "mode is training, but its backward slots were synthetic",
        ]
      : []),
    ...(assumed.length === 0 ? [] : [`assumed: ${someOf(assumed)}`]),
    ...workNotRun(plan, "speed"),
  ];
}

/** Empty where the program's buffers are what the plan needs. */
export function memoryObstacles(plan: Plan): readonly string[] {
  const assumed = memoryAssumptions(plan);
  return [
    ...(plan.workload.mode === "training" && plan.workload.optimizer === undefined
      ? ["mode is training: gradients, optimizer state and kept activations are counted, not held"]
      : []),
    ...(decodesFromUnsaidCache(plan)
      ? ["a step of one token reads a cache of tokens before it, which the plan does not name"]
      : []),
    ...(assumed.length === 0 ? [] : [`assumed: ${someOf(assumed)}`]),
    ...workNotRun(plan, "memory"),
  ];
}

/** Sequence 1 in front of causal attention is a step of decoding. */
function decodesFromUnsaidCache({ workload, stages }: Plan): boolean {
  return (
    workload.mode === "inference" &&
    workload.sequence === 1 &&
    stages.some(({ layers }) => layers.some((layer) => layer.op === "attention" && layer.causal))
  );
}

export function memoryAssumptions(plan: Plan): readonly string[] {
  return assumedAmong(plan, [...memoryPaths, "hardware.memoryPerGpu", "hardware.gpus"]);
}

/** What the source does and the run does not. */
function workNotRun(plan: Plan, on: "speed" | "memory"): readonly string[] {
  const notes = notesThatBear(plan, on).map(({ message }) => message);
  const features =
    plan.model === undefined
      ? []
      : featuresBeyondLayers(plan.model, plan.workload.sequence).map(({ what }) => what);
  const optimizations = unknownOptimizations(plan);
  // Recomputation acts in training only, which is an obstacle of its own.
  const fields = fieldsNotRun(plan)
    .map(({ path }) => path.join("."))
    .filter((path) => path !== "workload.recompute");
  return [
    ...(fields.length === 0 ? [] : [`checked but not run: ${[...new Set(fields)].join(", ")}`]),
    ...(optimizations.length === 0 ? [] : [`what ${someOf(optimizations)} does is not known`]),
    ...mixedPrecision(plan).map((what) => `the plan, in f32, does not say ${what}`),
    ...(features.length === 0 ? [] : [`no layer here runs ${someOf(features)}`]),
    ...(notes.length === 0 ? [] : [`the import left out: ${notes.join("; ")}`]),
  ];
}

function adapterObstacles(plan: Plan, adapters: readonly JudgedAdapter[]): readonly string[] {
  const software = [...new Set(adapters.filter((each) => each.software).map(({ id }) => id))];
  if (software.length > 0) {
    return [
      software.length === 1
        ? `${software.join()} is a software adapter, whose speed says nothing of a GPU's`
        : `${software.join(" and ")} are software adapters, whose speed says nothing of a GPU's`,
    ];
  }
  return [...sharing(adapters), ...otherGpus(plan, adapters)];
}

function sharing(adapters: readonly JudgedAdapter[]): readonly string[] {
  const shared = adapters.find(({ sharedWith }) => sharedWith.length > 0);
  if (shared === undefined) return [];
  const ranks = [shared.rank, ...shared.sharedWith].toSorted((a, b) => a - b);
  const ids = [...new Set(ranks.flatMap((rank) => adapters[rank]?.id ?? []))];
  return [
    ids.length < 2
      ? `ranks ${ranks.join(", ")} share ${shared.id} and contend for it`
      : `ranks ${ranks.join(", ")} are on ${ids.join(" and ")}, which are not proven to be GPUs of their own`,
  ];
}

/** A plan for a named GPU is not decided on another. */
function otherGpus({ hardware }: Plan, adapters: readonly JudgedAdapter[]): readonly string[] {
  const wanted = hardware.gpu;
  if (wanted === undefined) return [];
  const other = adapters.find(({ name }) => {
    const found = gpuNamed(name);
    return !("gpu" in found) || found.gpu.name !== wanted;
  });
  return other === undefined ? [] : [`the plan is for ${wanted}, and ${other.id} is ${other.name}`];
}

/** The conditions that every figure of a run holds under. */
export function runConditions(
  adapters: readonly JudgedAdapter[],
  link?: SimulatedLink,
): readonly string[] {
  return [...adapterConditions(adapters), ...(link === undefined ? [] : [describeLink(link)])];
}

/** In a sentence without a full stop. */
export function describeLink({ latencyMs, bandwidth }: SimulatedLink): string {
  const bytes = bandwidth === undefined ? "" : ` + its bytes at ${quantity(bandwidth, "B/s")}`;
  return `links between ranks are emulated: no message takes less than ${number(1000 * latencyMs)} µs${bytes}`;
}

function adapterConditions(adapters: readonly JudgedAdapter[]): readonly string[] {
  const ids = [...new Set(adapters.map(({ id }) => id))];
  return ids.map((id) => {
    const own = adapters.filter((each) => each.id === id);
    const kind = own[0]?.software === true ? "software adapter" : "hardware adapter";
    const ranks = own.map(({ rank }) => rank).join(", ");
    if (own.every(({ core }) => core !== undefined)) {
      const awake = own.every(({ keptAwake }) => keptAwake === true) ? ", kept awake" : "";
      return `${kind} ${id}, ranks ${ranks} on a core of their own each${awake}`;
    }
    if (own.length > 1) return `${kind} ${id}, shared by ranks ${ranks}`;
    const others = own.flatMap(({ sharedWith }) => sharedWith);
    return others.length === 0
      ? `${kind} ${id}, rank ${ranks} alone on it`
      : `${kind} ${id}, rank ${ranks}, perhaps the same GPU as of ${others.join(", ")}`;
  });
}
