// Claims about scaling: they compare with a run on one GPU.

import type { Claims } from "../../plan/plan.ts";
import { claimed, type Case, type ClaimRule } from "./case.ts";
import type { Verdict } from "../verdict.ts";

export const strongScaling: ClaimRule = (given) =>
  untested(given, "strongScaling", "strong scaling", "T₁ ÷ (N · T_N) at the same total work");

export const weakScaling: ClaimRule = (given) =>
  untested(given, "weakScaling", "weak scaling", "T₁ ÷ T_N at the same work per GPU");

const untested = (
  { plan }: Case,
  key: keyof Claims,
  label: string,
  formula: string,
): Verdict | undefined => {
  const value = plan.claims[key];
  if (value === undefined) return undefined;
  return {
    claim: key,
    label,
    claimed: claimed(value, "share"),
    judgement: "untestable",
    reason: `${formula} needs T₁, measured with N = 1, and this run has N = ${plan.hardware.gpus} only`,
    provenance: "measured",
  };
};
