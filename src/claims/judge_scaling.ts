// Claims about scaling compare with a run on one GPU: without it they say how fast that one GPU would have to be.

import { assumedAmong } from "../plan/assumed.ts";
import { claimedBy, claimedSamples, type Case } from "./case.ts";
import type { ClaimDefinition } from "./table.ts";
import type { Need, Verdict } from "./verdict.ts";
import { number, percent } from "./words.ts";

export const judgeScaling = (given: Case, claim: ClaimDefinition, value: number): Verdict => {
  const { plan } = given;
  const { gpus } = plan.hardware;
  const ofOne = gpus === 1;
  return {
    ...claimedBy(claim, value),
    judgement: "untestable",
    reason: ofOne
      ? "with one GPU there is nothing to scale"
      : `${claim.formula} needs T₁, measured with N = 1, and this run has N = ${gpus} only`,
    provenance: "measured",
    leansOn: assumedAmong(plan, ["hardware.gpus"]),
    needs: ofOne ? [] : [baseline(given, claim, value)],
  };
};

/** Strong: T₁ = E · N · T_N for the same batch. Weak: T₁ = E · T_N for an N-th of it. Both are the same rate of one GPU. */
const baseline = (
  { plan, measurements }: Case,
  { formula }: ClaimDefinition,
  value: number,
): Need => {
  const { gpus } = plan.hardware;
  const samples = claimedSamples(plan) ?? measurements?.metrics.samplesPerSecond?.value;
  const superlinear = value > 1 ? { absurd: "N GPUs do more than N times the work of one" } : {};
  if (samples === undefined) {
    return {
      what: "T₁ ÷ T_N",
      relation: "exactly",
      value: formula.includes("N ·") ? value * gpus : value,
      unit: "",
      because: `${formula} = ${percent(value)} with N = ${gpus}`,
      ...superlinear,
    };
  }
  return {
    what: "samples/s of one GPU alone",
    relation: "at most",
    value: samples / (gpus * value),
    unit: "samples/s",
    because: `${number(samples)} samples/s of ${gpus} GPUs ÷ (${gpus} × ${percent(value)})`,
    ...superlinear,
  };
};
