// What techniques are worth, of the steps that an ablation timed of each variant and what the variant's program takes.

import { type AblatedCost, pairEffect, techniqueEffect } from "../measure/ablation.ts";
import { estimate } from "../program/estimate.ts";
import type {
  AblatedPair,
  AblatedTechnique,
  AblatedVariant,
  Ablation,
} from "../result/ablation.ts";
import type {
  AblationVariant,
  AblationVariants,
  Single,
  TechniquePair,
} from "./ablation_variants.ts";

/** Of the rank that allocates most, and of all ranks: what no timing changes. */
export function spentBy({
  plan,
  program,
}: AblationVariant): Pick<AblatedVariant, "memory" | "wireBytes"> {
  const { ranks } = estimate(program, plan);
  const [fullest] = ranks.toSorted((a, b) => b.memoryBytes - a.memoryBytes);
  return {
    memory: fullest?.memoryByRole ?? {},
    wireBytes: ranks.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
  };
}

/** By what is switched off. */
export function nameOf({ off }: Pick<AblatedVariant, "off">): string {
  return JSON.stringify(off.toSorted());
}

function costOf({ stepMs, wireBytes, memory }: AblatedVariant): AblatedCost {
  const memoryBytes = Object.values(memory).reduce((sum, bytes) => sum + bytes, 0);
  return { stepMs, wireBytes, memoryBytes };
}

const noMemory = {
  state: "not switched",
  why: "no memory was left beside the other variants",
} as const;

/** @param measured those of the variants that memory was left for */
export function effectsOf(
  { asItIs, singles, pairs }: AblationVariants,
  measured: readonly AblatedVariant[],
): Pick<Ablation, "techniques" | "pairs"> {
  const costs = new Map(measured.map((each) => [nameOf(each), costOf(each)]));
  const costOfVariant = (variant: AblationVariant) => costs.get(nameOf(variant));
  const on = costOfVariant(asItIs);
  const single = (each: Single): AblatedTechnique => {
    const { technique } = each;
    if ("why" in each) return { technique, state: "not switched", why: each.why };
    if ("same" in each) return { technique, state: "same program" };
    const off = costOfVariant(each.variant);
    const effect = on && off && techniqueEffect(on, off);
    return effect === undefined
      ? { technique, ...noMemory }
      : { technique, state: "measured", ...effect };
  };
  const costWithout = (technique: string): AblatedCost | undefined => {
    const found = singles.find((each) => each.technique === technique);
    return found !== undefined && "variant" in found ? costOfVariant(found.variant) : undefined;
  };
  const double = (each: TechniquePair): AblatedPair => {
    const { pair } = each;
    if ("why" in each) return { pair, state: "not switched", why: each.why };
    const [first, second] = pair;
    const [neither, one, other] = [
      costOfVariant(each.variant),
      costWithout(second),
      costWithout(first),
    ];
    const effect = on && one && other && neither && pairEffect(on, one, other, neither);
    return effect === undefined ? { pair, ...noMemory } : { pair, state: "measured", ...effect };
  };
  return { techniques: singles.map(single), pairs: pairs.map(double) };
}
