// Claims about who holds what: the plan's own split decides them.

import type { MoeLayer, Plan } from "../../plan/plan.ts";
import { expertsOnGpus } from "../../plan/layers.ts";
import { variance } from "../../measure/statistics.ts";
import { claimed, fromPlan, ratioOf, type ClaimRule } from "./case.ts";

/** Differences that come from rounding a claim or from floating point. */
const EPSILON = 1e-9;

export const expertsPerGpu: ClaimRule = ({ plan }) => {
  const value = plan.claims.expertsPerGpu;
  if (value === undefined) return undefined;
  const promised = claimed(value, "experts");
  const base = { claim: "expertsPerGpu", label: "experts per GPU", claimed: promised };
  const counts = moeLayers(plan).flatMap(expertCounts);
  const worst = furthest(counts, value);
  if (worst === undefined) return { ...base, ...withoutExperts };
  const found = fromPlan(worst, "experts");
  const confirmed = worst === value;
  return {
    ...base,
    found,
    ...ratioOf(found, promised),
    judgement: confirmed ? "confirmed" : "refuted",
    reason: confirmed
      ? "the plan's split gives every expert GPU that many"
      : `the plan's split gives its GPUs ${[...new Set(counts)].join(", ")}`,
    provenance: "estimated",
  };
};

export const expertVariance: ClaimRule = ({ plan }) => {
  const value = plan.claims.expertVariance;
  if (value === undefined) return undefined;
  const promised = claimed(value, "ratio");
  const base = { claim: "expertVariance", label: "variance of experts", claimed: promised };
  const variances = moeLayers(plan).map((layer) => variance(expertCounts(layer)));
  const worst = furthest(variances, value);
  if (worst === undefined) return { ...base, ...withoutExperts };
  const found = fromPlan(worst, "ratio");
  const confirmed = Math.abs(worst - value) <= EPSILON;
  return {
    ...base,
    found,
    ...ratioOf(found, promised),
    judgement: confirmed ? "confirmed" : "refuted",
    reason: "of the number of experts per GPU, by the plan's split",
    provenance: "estimated",
  };
};

export const tensorGroupSize: ClaimRule = ({ plan }) => {
  const value = plan.claims.tensorGroupSize;
  if (value === undefined) return undefined;
  const promised = claimed(value, "GPUs");
  const base = { claim: "tensorGroupSize", label: "tensor group size", claimed: promised };
  const sizes = tensorGroupSizes(plan);
  const worst = furthest(sizes, value);
  if (worst === undefined) {
    return {
      ...base,
      judgement: "untestable",
      reason: "no layer of the plan is split over tensor ranks",
      provenance: "estimated",
    };
  }
  const found = fromPlan(worst, "GPUs");
  const confirmed = worst === value;
  return {
    ...base,
    found,
    ...ratioOf(found, promised),
    judgement: confirmed ? "confirmed" : "refuted",
    reason: confirmed
      ? "every layer that is split has groups of that size"
      : `layers are split over groups of ${[...new Set(sizes)].join(", ")}`,
    provenance: "estimated",
  };
};

const withoutExperts = {
  judgement: "untestable",
  reason: "the plan has no mixture of experts",
  provenance: "estimated",
} as const;

const moeLayers = (plan: Plan): MoeLayer[] =>
  plan.stages.flatMap(({ layers }) => layers.filter((layer) => layer.op === "moe"));

/** Experts on each GPU of the layer. */
const expertCounts = (layer: MoeLayer): number[] => [...expertsOnGpus(layer).values()];

const tensorGroupSizes = (plan: Plan): number[] =>
  plan.stages
    .flatMap(({ layers }) => layers)
    .filter(
      (layer) =>
        layer.op === "attention" ||
        layer.op === "mlp" ||
        ((layer.op === "linear" || layer.op === "embedding") && layer.split !== "replicated"),
    )
    .flatMap(({ groups }) => groups.map((group) => group.length));

/** The value that speaks most against the claim; undefined for none. */
const furthest = (values: readonly number[], claim: number): number | undefined =>
  values.toSorted((a, b) => Math.abs(b - claim) - Math.abs(a - claim))[0];
