// FLOPs per token as publishers count them.

import type { Plan } from "../../src/plan/plan.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { unshard } from "../../src/program/unshard.ts";

export interface FlopsPerToken {
  /** Causal attention counted by half: what a causal kernel must do. */
  readonly half: number;
  /** Scores and what they weigh not counted, as by 6 FLOPs per parameter and token. */
  readonly without: number;
  /** Causal attention counted as if every token saw the whole sequence. */
  readonly whole: number;
}

const known = new WeakMap<Plan, FlopsPerToken>();

/** Of a forward pass, or of a training step: three times as many, recomputation left out. */
export function flopsPerToken(plan: Plan): FlopsPerToken {
  const found = known.get(plan) ?? countFlops(plan);
  known.set(plan, found);
  return found;
}

function countFlops(plan: Plan): FlopsPerToken {
  const { batch, mode, sequence } = plan.workload;
  const passes = mode === "training" ? 3 : 1;
  const half = (passes * estimatePlan(unshard(plan)).modelFlops) / (batch * sequence);
  const attention = passes * halfOfAttention(plan);
  return plan.model?.causal === true
    ? { half, without: half - attention, whole: half + attention }
    : { half, without: half - 2 * attention, whole: half };
}

/** Per token of a forward pass: query · key and weights · value over half of the sequence. */
function halfOfAttention({ model, workload }: Plan): number {
  if (model === undefined) return 0;
  const { headDim, heads, latent, layers } = model;
  const width = latent === undefined ? 2 * headDim : headDim + latent.rotaryDim + latent.valueDim;
  return layers * heads * width * workload.sequence;
}

/** As claimed, or as it follows from the claimed samples. */
export function claimedTokens({ claims, workload }: Plan): number | undefined {
  return (
    claims.tokensPerSecond ??
    (claims.samplesPerSecond === undefined
      ? undefined
      : claims.samplesPerSecond * workload.sequence)
  );
}
