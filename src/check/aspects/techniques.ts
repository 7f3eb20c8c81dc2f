// What the program does about each technique that a plan names.

import { assumedAmong, sizePaths } from "../../plan/assumed.ts";
import { readsAhead } from "../../plan/data_set.ts";
import { hasBackwardSlots } from "../../plan/pipeline.ts";
import type { Plan } from "../../plan/plan.ts";
import { tokenSourceOf } from "../../program/token_source.ts";
import {
  worstOf,
  type Aspect,
  type AspectJudgement,
  type Assess,
  type Assessed,
} from "./aspect.ts";

/** One line for all, each technique a part of it. */
export const techniques: Assess = (assessed) => {
  const { plan } = assessed.described;
  if (plan.optimizations.length === 0) return [];
  const parts = plan.optimizations.map((name, i) => technique(assessed, name, i));
  const count = (judgement: AspectJudgement): number =>
    parts.filter((part) => part.judgement === judgement).length;
  return [
    {
      title: "Comprehensive Optimization Techniques",
      judgement: worstOf(parts.map(({ judgement }) => judgement)),
      why: `of ${parts.length} that the plan names, ${count("held")} are in the program, ${count("contradicted")} are not, ${count("not decidable")} are open`,
      leansOn: [],
      codes: [],
      parts,
    },
  ];
};

interface Finding {
  readonly judgement: AspectJudgement;
  readonly why: string;
  /** Paths of the plan that it leans on. */
  readonly paths?: readonly string[];
}

function technique(assessed: Assessed, name: string, i: number): Aspect {
  const { plan } = assessed.described;
  const said = assessed.diagnostics.filter(
    ({ path }) => path[0] === "optimizations" && path[1] === i,
  );
  const {
    judgement,
    why,
    paths = [],
  } = known[name]?.(assessed) ?? {
    judgement: "not decidable",
    why: "nothing here knows that name",
  };
  return {
    title: name,
    judgement,
    why,
    leansOn: assumedAmong(plan, paths),
    codes: said.map(({ code }) => code),
  };
}

const known: Readonly<Record<string, (assessed: Assessed) => Finding>> = {
  "fused-attention": ({ described: { plan, estimate } }) => {
    const layers = plan.stages.flatMap((stage) => stage.layers);
    if (!layers.some(({ op }) => op === "attention")) {
      return { judgement: "contradicted", why: "no layer attends", paths: ["stages"] };
    }
    const kernel = estimate.kernels.find((each) => each.kernel.startsWith("attention"))?.kernel;
    return kernel === undefined
      ? { judgement: "contradicted", why: "no fused kernel is in the program" }
      : {
          judgement: "held",
          why: `scores, softmax and their product with the values are one kernel, ${kernel}`,
        };
  },
  "communication-overlap": ({ communication }) => {
    const moving = communication.filter(({ worst }) => worst.received > 0);
    const overlapped = moving.filter(({ blocks }) => blocks > 1).length;
    if (overlapped > 0) {
      return {
        judgement: "held",
        why: `${overlapped} of ${moving.length} communications start before all that they carry is computed; what that hides, a run measures`,
        paths: sizePaths,
      };
    }
    return {
      judgement: "contradicted",
      why:
        moving.length === 0
          ? "nothing is communicated"
          : "no communication of the program starts before all that it carries is computed",
      paths: sizePaths,
    };
  },
  "activation-checkpointing": ({ described: { plan } }) => {
    const { mode, recompute } = plan.workload;
    if (mode !== "training") return ofTraining(plan, "no activation is kept for a backward pass");
    return recompute === undefined
      ? { judgement: "not decidable", why: "workload.recompute does not say what is recomputed" }
      : {
          judgement: "held",
          why: hasBackwardSlots(plan)
            ? `${recompute.granularity} recomputation: backward slots compute again what they read`
            : `${recompute.granularity} recomputation is counted in memory; no backward pass runs here`,
          paths: ["workload.recompute", "workload.mode"],
        };
  },
  "gradient-accumulation": ({ described: { plan } }) => {
    const { mode, microBatches } = plan.workload;
    if (mode !== "training") return ofTraining(plan, "there are no gradients");
    return microBatches > 1
      ? {
          judgement: "held",
          why: `a step has ${microBatches} micro-batches to add up`,
          paths: ["workload.mode", "workload.microBatches"],
        }
      : {
          judgement: "contradicted",
          why: "a step of one micro-batch has nothing to add up",
          paths: ["workload.mode", "workload.microBatches"],
        };
  },
  "mixed-precision": ({ described: { plan } }) => ({
    judgement: plan.workload.dtype === "f16" ? "held" : "contradicted",
    why:
      plan.workload.dtype === "f16"
        ? "weights and activations are f16, sums f32"
        : "weights, activations and sums are all f32",
    paths: ["workload.dtype"],
  }),
  [readsAhead]: ({ described: { plan } }) =>
    tokenSourceOf(plan) === undefined
      ? {
          judgement: "not decidable",
          why: "a run makes its inputs itself: the plan names no data set (workload.data)",
        }
      : {
          judgement: "held",
          why: "while a step runs, a thread of each rank that takes tokens reads the next batch",
          paths: ["workload.data"],
        },
};

/** Whether the plan's source meant training, nobody knows where the mode is assumed. */
function ofTraining(plan: Plan, why: string): Finding {
  const paths = ["workload.mode"];
  return {
    judgement: assumedAmong(plan, paths).length === 0 ? "contradicted" : "not decidable",
    why: `without effect in inference: ${why}`,
    paths,
  };
}
