// The next token from the largest logits, as vLLM and others draw it: temperature, then top-k, then top-p.

import type { Sampling } from "../../plan/sampling.ts";
import { tensorKey } from "../hash_source.ts";

export interface Candidate {
  readonly logit: number;
  readonly id: number;
}

/**
 * @param candidates in any order; with a temperature the `topK` largest of all logits at least
 * @param at a request and the place of its token, which the generator's seed is combined with
 * @returns undefined where there is none
 */
export function pickToken(
  candidates: readonly Candidate[],
  { temperature, topK = 1, topP, seed }: Sampling,
  at: { readonly request: number; readonly place: number },
): number | undefined {
  const ordered = candidates.toSorted((a, b) => b.logit - a.logit || a.id - b.id);
  const [first] = ordered;
  if (temperature === 0 || first === undefined) return first?.id;
  const weighed = ordered.slice(0, topK).map(({ logit, id }) => ({
    id,
    weight: Math.exp((logit - first.logit) / temperature),
  }));
  const kept = nucleus(weighed, topP);
  const uniform = (tensorKey(`token ${at.request} ${at.place}`, seed) >>> 0) / 2 ** 32;
  let left = uniform * totalOf(kept);
  for (const { id, weight } of kept) {
    left -= weight;
    if (left < 0) return id;
  }
  return kept.at(-1)?.id;
}

interface Weighed {
  readonly id: number;
  readonly weight: number;
}

/** The fewest of the likeliest that have that share together; the likeliest in any case. */
function nucleus(weighed: readonly Weighed[], share: number): readonly Weighed[] {
  const wanted = share * totalOf(weighed);
  let sum = 0;
  const enough = weighed.findIndex(({ weight }) => (sum += weight) >= wanted);
  return enough < 0 ? weighed : weighed.slice(0, enough + 1);
}

function totalOf(weighed: readonly Weighed[]): number {
  return weighed.reduce((sum, { weight }) => sum + weight, 0);
}
