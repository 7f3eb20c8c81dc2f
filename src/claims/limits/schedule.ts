// A pipeline fills and drains: with p stages on GPUs of their own, m micro-batches and v chunks of layers per stage,
// a GPU is busy at most m·v / (m·v + p − 1) of a step (Narayanan et al. 2021, section 2.2); stages on groups of unequal
// size may do better on average. Utilization is of a step, which begins when the one before is over: of a plan that
// names its micro-batches, those of the next step fill nothing.

import { gpusOfStage } from "../../plan/layers.ts";
import { type Pipeline, pipelineOf } from "../../plan/pipeline.ts";
import type { Need } from "../verdict.ts";
import { number, percent } from "../words.ts";
import type { Case } from "../case.ts";
import { leftOutOfSpeed, type ClaimLimit, type LimitRule } from "./limit.ts";

const utilizations: ReadonlySet<string> = new Set([
  "gpuUtilization",
  "computeUtilization",
  "hardwareFlopsUtilization",
]);

export const scheduleLimit: LimitRule = (given, { key }, value) => {
  if (!utilizations.has(key)) return undefined;
  const pipeline = pipelineOf(given.plan);
  if (pipeline === undefined) return ofSharedStages(given, value);
  const p = pipeline.pipelineRanks.length;
  if (p === 1) return undefined;
  const { microBatches: m, mode, schedule } = given.plan.workload;
  const v = pipeline.virtualStages;
  const held = stagesThatHelp(pipeline);
  const isEven = held.every((share, i) => share === (i + 1) / p);
  const best = Math.max(...held.map((share, i) => (share * m * v) / (m * v + i)));
  const unsaid = [
    ...leftOutOfSpeed(given),
    ...(mode === "training" && schedule === undefined
      ? ["no workload.schedule is given; a zero-bubble one idles less"]
      : []),
    ...(mode === "inference" && m === 1
      ? ["the plan names no micro-batches; those of following steps may fill the pipeline"]
      : []),
  ];
  const chunks = v === 1 ? "m" : "m·v";
  return {
    name: "schedule",
    best,
    because: `${p} stages${v === 1 ? "" : ` of ${v} chunks`} with ${m} micro-batches are busy at most ${isEven ? `${chunks} / (${chunks} + p − 1)` : `s·${chunks} / (${chunks} + k − 1)`} = ${percent(best)} of a step${isEven ? "" : ", where the k stages with most GPUs, a share s of all, take all its time"}`,
    paths,
    unsaid,
    needs: isEven
      ? microBatchesFor(value, p, v, `it is ${m}; m ≥ u(p − 1) / (v(1 − u))`)
      : microBatchesOfUneven(value, held, v, m),
  };
};

const paths = [
  "workload.microBatches",
  "workload.mode",
  "workload.schedule",
  "parallel.pipeline",
  "parallel.virtualStages",
  "stages",
];

/**
 * Share of all GPUs that the stages with most of them hold, the first k at index k − 1. With stages of unequal groups
 * the average over GPUs is largest where some stages take all the time and the others none: which do is one of these.
 */
function stagesThatHelp({ pipelineRanks }: Pipeline): number[] {
  const sizes = pipelineRanks.map(({ length }) => length).toSorted((a, b) => b - a);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  let sum = 0;
  return sizes.map((size) => (sum += size) / all);
}

function microBatchesOfUneven(
  share: number,
  held: readonly number[],
  v: number,
  m: number,
): Need[] {
  const most = held.map((of, i) => (of > share ? (share * i) / (v * (of - share)) : Infinity));
  const value = Math.min(...most);
  return [
    {
      what: "workload.microBatches",
      relation: "at least",
      value: Number.isFinite(value) ? Math.max(1, Math.ceil(value - 1e-9)) : Infinity,
      unit: "",
      because: `it is ${m}; m ≥ u(k − 1) / (v(s − u)) with u = ${percent(share)}, v = ${v}, for some k`,
      ...(Number.isFinite(value)
        ? {}
        : { absurd: "a pipeline that fills and drains is never busy all the time" }),
    },
  ];
}

function microBatchesFor(share: number, p: number, v: number, formula: string): Need[] {
  const exact = (share * (p - 1)) / (v * (1 - share));
  return [
    {
      what: "workload.microBatches",
      relation: "at least",
      value: share >= 1 ? Infinity : Math.ceil(exact - 1e-9),
      unit: "",
      because: `${formula} with u = ${percent(share)}, p = ${p}, v = ${v}`,
      ...(share >= 1
        ? { absurd: "a pipeline that fills and drains is never busy all the time" }
        : {}),
    },
  ];
}

/**
 * Stages that share some of their GPUs are no pipeline, and the formula is no bound for them. Where the first and the
 * last have none in common, it still says what stages of equal length on GPUs of their own would need.
 */
function ofSharedStages({ plan }: Case, value: number): ClaimLimit | undefined {
  const { stages } = plan;
  const [first, last] = [stages[0], stages.at(-1)];
  if (first === undefined || last === undefined || stages.length < 2) return undefined;
  const ends = new Set(gpusOfStage(last));
  if (gpusOfStage(first).some((gpu) => ends.has(gpu))) return undefined;
  const p = stages.length;
  return {
    name: "schedule",
    because: `the ${number(p)} stages share some of their GPUs, so that the bubble's formula is no bound`,
    paths: ["workload.microBatches"],
    needs: microBatchesFor(
      value,
      p,
      1,
      "were each stage on GPUs of its own, and of equal length: m ≥ u(p − 1) / (v(1 − u))",
    ),
  };
}
