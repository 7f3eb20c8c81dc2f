// The plans that an ablation runs: as it is, without each technique, and without each two of them.

import { isDeepStrictEqual } from "node:util";
import type { Plan } from "../plan/plan.ts";
import { techniquesOf, withoutTechnique } from "../plan/without_technique.ts";
import { lower } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { whyUnsound } from "./unsound.ts";

export interface AblationVariant {
  /** Techniques that are switched off. */
  readonly off: readonly string[];
  readonly plan: Plan;
  readonly program: Program;
}

export interface AblationVariants {
  readonly asItIs: AblationVariant;
  /** In the order in which the plan names the techniques. */
  readonly singles: readonly Single[];
  readonly pairs: readonly TechniquePair[];
}

export type Single = { readonly technique: string } & (
  | { readonly variant: AblationVariant }
  /** The program is the same without it. */
  | { readonly same: true }
  | { readonly why: string }
);

/** Of techniques that make a difference to the program. */
export type TechniquePair = { readonly pair: readonly [string, string] } & (
  | { readonly variant: AblationVariant }
  | { readonly why: string }
);

/** All that are run, as it is first. */
export function runVariants({ asItIs, singles, pairs }: AblationVariants): AblationVariant[] {
  const switched = [...singles, ...pairs].flatMap((each) =>
    "variant" in each ? each.variant : [],
  );
  return [asItIs, ...switched];
}

export function ablationVariants(plan: Plan): AblationVariants {
  const asItIs = variantOf(plan, []);
  const singles = techniquesOf(plan).map((technique): Single => {
    const variant = without(asItIs, technique);
    if (!("program" in variant)) return { technique, ...variant };
    const isSame = isDeepStrictEqual(variant.program.ranks, asItIs.program.ranks);
    return isSame ? { technique, same: true } : { technique, variant };
  });
  const switched = singles.flatMap((single) => ("variant" in single ? single : []));
  const pairs = switched.flatMap(({ technique: second }, i) =>
    switched.slice(0, i).map(({ technique: first, variant: withoutFirst }): TechniquePair => {
      const variant = without(withoutFirst, second);
      return { pair: [first, second], ...("program" in variant ? { variant } : variant) };
    }),
  );
  return { asItIs, singles, pairs };
}

function without(
  { plan, off }: AblationVariant,
  technique: string,
): AblationVariant | { readonly why: string } {
  const switched = withoutTechnique(plan, technique);
  if ("why" in switched) return switched;
  const why = whyUnsound(switched.plan);
  return why === undefined
    ? variantOf(switched.plan, [...off, technique])
    : { why: `the plan is unsound without it: ${why}` };
}

function variantOf(plan: Plan, off: readonly string[]): AblationVariant {
  return { off, plan, program: lower(plan) };
}
