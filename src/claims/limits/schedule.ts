// A pipeline fills and drains: with p stages on GPUs of their own, m micro-batches and v chunks of layers per stage,
// a GPU is busy at most m·v / (m·v + p − 1) of a step (Narayanan et al. 2021, section 2.2).

import { gpusOfStage } from "../../plan/layers.ts";
import { pipelineOf } from "../../plan/pipeline.ts";
import type { Need } from "../verdict.ts";
import { number, percent } from "../words.ts";
import type { Case } from "../case.ts";
import type { Limit, LimitRule } from "./limit.ts";

const utilizations: ReadonlySet<string> = new Set([
  "gpuUtilization",
  "computeUtilization",
  "hardwareFlopsUtilization",
]);

export const scheduleLimit: LimitRule = (given, { key }, value) => {
  if (!utilizations.has(key)) return undefined;
  const pipeline = pipelineOf(given.plan);
  if (pipeline === undefined) return ofSharedStages(given, value);
  const p = pipeline.positions.length;
  if (p === 1) return undefined;
  const { microBatches: m, mode, schedule } = given.plan.workload;
  const v = pipeline.virtualStages;
  const best = (m * v) / (m * v + p - 1);
  const unsaid =
    mode === "training" && schedule === undefined
      ? ["no workload.schedule is given; a zero-bubble one idles less"]
      : mode === "inference" && m === 1
        ? ["the plan names no micro-batches; those of following steps may fill the pipeline"]
        : [];
  return {
    name: "schedule",
    best,
    because: `${p} stages${v === 1 ? "" : ` of ${v} chunks`} with ${m} micro-batches are busy at most ${v === 1 ? "m" : "m·v"} / (${v === 1 ? "m" : "m·v"} + p − 1) = ${percent(best)} of a step`,
    paths: ["workload.microBatches", "parallel.pipeline", "parallel.virtualStages", "stages"],
    unsaid,
    needs: microBatchesFor(value, p, v, `it is ${m}; m ≥ u(p − 1) / (v(1 − u))`),
  };
};

const microBatchesFor = (share: number, p: number, v: number, formula: string): Need[] => {
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
};

/**
 * Stages that share some of their GPUs are no pipeline, and the formula is no bound for them. Where the first and the
 * last have none in common, it still says what stages of equal length on GPUs of their own would need.
 */
const ofSharedStages = ({ plan }: Case, value: number): Limit | undefined => {
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
};
