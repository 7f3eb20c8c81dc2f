// Which experts a token takes, and what weighs them, from its logits in f64.

import type { RoutingRule } from "../kernels/route_top_k.ts";

/** Scores of all experts. */
export function scoresOf(
  logits: Float64Array,
  { scoring = "softmax" }: Pick<RoutingRule, "scoring">,
): Float64Array {
  if (scoring === "sigmoid") return logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return logits.map((logit) => Math.exp(logit - largest) / total);
}

/** Whether experts are compared by their scores; else by their logits, which order them alike. */
export function comparesScores(
  { groupLimit }: Pick<RoutingRule, "groupLimit">,
  isCorrected: boolean,
): boolean {
  return isCorrected || groupLimit?.scoredBy === "two-best";
}

/** What experts are compared by. */
export function keysOf(
  logits: Float64Array,
  rule: RoutingRule,
  correction: Float64Array | undefined,
): Float64Array {
  if (!comparesScores(rule, correction !== undefined)) return logits;
  return scoresOf(logits, rule).map((score, expert) => score + (correction?.[expert] ?? 0));
}

/** Numbers of the largest, ties to the lower number. */
const largestOf = (values: Float64Array, count: number): number[] =>
  [...values.keys()].toSorted((a, b) => values[b]! - values[a]! || a - b).slice(0, count);

function groupKeys(
  keys: Float64Array,
  { groups, scoredBy }: NonNullable<RoutingRule["groupLimit"]>,
) {
  const size = keys.length / groups;
  return Float64Array.from({ length: groups }, (_, group) => {
    const own = keys.slice(group * size, (group + 1) * size).toSorted((a, b) => b - a);
    return scoredBy === "best" ? own[0]! : own[0]! + own[1]!;
  });
}

/** The experts of those groups, the others out of reach. */
const within = (
  keys: Float64Array,
  groups: number,
  isOpen: (group: number) => boolean,
): Float64Array =>
  keys.map((key, expert) =>
    isOpen(Math.floor((expert * groups) / keys.length)) ? key : -Infinity,
  );

/** The topK by key, of the best groups where they are limited. */
export function topExperts(keys: Float64Array, { topK, groupLimit }: RoutingRule): Uint32Array {
  if (groupLimit === undefined) return Uint32Array.from(largestOf(keys, topK));
  const open = new Set(largestOf(groupKeys(keys, groupLimit), groupLimit.topGroups));
  const reached = within(keys, groupLimit.groups, (group) => open.has(group));
  return Uint32Array.from(largestOf(reached, topK));
}

export interface ChoiceVerdict {
  /**
   * How far a chosen expert, or its group, falls short of the best one left out: 0 where the choice is the true one,
   * small where rounding decided a near tie.
   */
  readonly gap: number;
  /** Choices that differ from the true ones. */
  readonly rerouted: number;
}

/** @param given in any order */
export function judgeChoice(
  keys: Float64Array,
  rule: RoutingRule,
  given: Uint32Array,
): ChoiceVerdict {
  const distinct = new Set(given);
  if (distinct.size !== given.length || given.some((expert) => expert >= keys.length)) {
    return { gap: Infinity, rerouted: given.length };
  }
  const rerouted = topExperts(keys, rule).filter((expert) => !distinct.has(expert)).length;
  const groups = judgeGroups(keys, rule, given);
  const missed = groups.reachable.filter((_, expert) => !distinct.has(expert));
  const best = missed.reduce((most, key) => Math.max(most, key), -Infinity);
  const worst = Math.min(...[...given].map((expert) => keys[expert]!));
  return { gap: Math.max(0, groups.gap, best - worst), rerouted };
}

/** How far groups of chosen experts fall short, and the keys of all experts that were within reach. */
function judgeGroups(
  keys: Float64Array,
  { groupLimit }: RoutingRule,
  given: Uint32Array,
): { readonly gap: number; readonly reachable: Float64Array } {
  if (groupLimit === undefined) return { gap: 0, reachable: keys };
  const { groups, topGroups } = groupLimit;
  const ofGroups = groupKeys(keys, groupLimit);
  const best = largestOf(ofGroups, topGroups);
  const open = new Set([...given].map((expert) => Math.floor((expert * groups) / keys.length)));
  if (open.size > topGroups) return { gap: Infinity, reachable: keys };
  const others = [...open].filter((group) => !best.includes(group));
  const least = ofGroups[best.at(-1)!]!;
  const gap = Math.max(0, ...others.map((group) => least - ofGroups[group]!));
  // As many of the best as were closed for others: the least of them that no choice is of.
  let closed = others.length;
  for (const group of best.toReversed()) {
    if (open.has(group)) continue;
    if (closed > 0) closed -= 1;
    else open.add(group);
  }
  return { gap, reachable: within(keys, groups, (group) => open.has(group)) };
}

/** Of the chosen experts, in their order. */
export function choiceWeights(
  logits: Float64Array,
  chosen: Uint32Array,
  rule: RoutingRule,
): Float64Array {
  const { renormalise, routedScale = 1, scoring = "softmax" } = rule;
  const own = Float64Array.from(chosen, (expert) => logits[expert]!);
  // Renormalised, a softmax over all is one over the chosen, which loses nothing where they are far below others.
  const isOfChosen = renormalise && scoring === "softmax";
  const all = isOfChosen ? undefined : scoresOf(logits, rule);
  const scores =
    all === undefined ? scoresOf(own, rule) : Float64Array.from(chosen, (expert) => all[expert]!);
  const total = renormalise ? scores.reduce((sum, score) => sum + score, 0) : 1;
  return scores.map((score) => (routedScale * score) / total);
}
