// Does the order of stages keep the GPUs at work?

import { assumedAmong, sizePaths } from "../../plan/assumed.ts";
import { gpusOfStage } from "../../plan/layers.ts";
import { pipelineOf, type Pipeline } from "../../plan/pipeline.ts";
import type { Plan } from "../../plan/plan.ts";
import { pipelineFilled } from "../rules/sizes/pipeline_not_filled.ts";
import { formatPercent } from "../../measure/format.ts";
import { rangesOf } from "../../program/runs_of_ranks.ts";
import { type Assess, type Aspect, type Assessed } from "./aspect.ts";

/** An efficient pipeline idles for at most this share of a step. */
const mostIdle = 0.1;

const title = "Pipeline Efficiency";

/** Of plans with several stages that are not all on the same GPUs. */
export const pipelineEfficiency: Assess = (assessed) => {
  const { plan } = assessed.described;
  const pipeline = pipelineOf(plan);
  if (pipeline === undefined) return plan.stages.length < 2 ? [] : [sharing(plan)];
  return pipeline.pipelineRanks.length < 2 ? [] : [filled(assessed, pipeline)];
};

/** Who works for two stages works for one after the other. */
function sharing(plan: Plan): Aspect {
  const members = plan.stages.map((stage) => gpusOfStage(stage).toSorted((a, b) => a - b));
  const shared = plan.stages.slice(1).flatMap(({ name }, at) => {
    const before = new Set(members[at]);
    const both = (members[at + 1] ?? []).filter((gpu) => before.has(gpu));
    const gpus = `${both.length === 1 ? "GPU" : "GPUs"} ${rangesOf(both)}`;
    return both.length === 0 ? [] : [`${plan.stages[at]?.name} and ${name} share ${gpus}`];
  });
  const which =
    shared.length === 0 || shared.length > 3 ? "its stages share GPUs" : shared.join(", ");
  return {
    title,
    judgement: "contradicted",
    why: `the ${plan.stages.length} stages are no pipeline: ${which}, which work for one after the other`,
    leansOn: [],
    codes: [],
  };
}

function filled(
  { described, diagnostics }: Assessed,
  { pipelineRanks, virtualStages: v }: Pipeline,
): Aspect {
  const { plan, estimate } = described;
  const m = plan.workload.microBatches;
  const p = pipelineRanks.length;
  const loads = pipelineRanks.map(
    (gpus) => gpus.reduce((sum, gpu) => sum + (estimate.ranks[gpu]?.flops ?? 0), 0) / gpus.length,
  );
  const mean = loads.reduce((sum, load) => sum + load, 0) / p;
  const evenness = mean === 0 ? 1 : mean / Math.max(...loads);
  const slots = m * v;
  const idle = 1 - (slots / (slots + p - 1)) * evenness;
  const open = leavesOpen(plan);
  const formula = v === 1 ? "m" : "m·v";
  return {
    title,
    judgement: open !== undefined ? "not decidable" : idle <= mostIdle ? "held" : "contradicted",
    why:
      `${p} stages on GPUs of their own idle ${formatPercent(idle)} of a step, efficient is up to ${formatPercent(mostIdle)}: ` +
      `1 − ${formula}/(${formula} + p − 1) × mean/largest stage by FLOPs, with p = ${p}, m = ${m}` +
      `${v === 1 ? "" : `, v = ${v}`} and ${formatPercent(evenness)}${open === undefined ? "" : `; ${open}`}`,
    leansOn: assumedAmong(plan, sizePaths),
    codes: diagnostics.flatMap(({ code }) => (code === pipelineFilled.code ? [code] : [])),
  };
}

/** Why the formula does not decide, where it does not. */
function leavesOpen(plan: Plan): string | undefined {
  const { microBatches, mode, schedule } = plan.workload;
  if (assumedAmong(plan, ["workload.microBatches"]).length > 0) return "m is only assumed";
  if (mode === "training" && schedule === undefined) {
    return "no workload.schedule is given, and a zero-bubble one idles less";
  }
  return mode !== "training" && microBatches === 1
    ? "micro-batches of following steps may fill it"
    : undefined;
}
