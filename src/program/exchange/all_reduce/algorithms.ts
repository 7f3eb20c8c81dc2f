// All-reduce algorithms by name, and which of them a sum takes.

import type { ReduceAlgorithm } from "./algorithm.ts";
import { direct } from "./direct.ts";
import { bytesOfSum, type Reduction } from "./reduction.ts";
import { ring } from "./ring.ts";
import { tree } from "./tree.ts";
import { twoShot } from "./two_shot.ts";

export const algorithms = {
  direct,
  "two-shot": twoShot,
  ring,
  tree,
} as const satisfies Readonly<Record<string, ReduceAlgorithm>>;

export type AlgorithmName = keyof typeof algorithms;

export const algorithmNames = Object.keys(algorithms).filter(
  (name): name is AlgorithmName => name in algorithms,
);

/** A sum that may ask for an algorithm. */
export interface RequestedReduction extends Reduction {
  readonly algorithm?: AlgorithmName;
}

/** From here on the second hop costs less than adding everything everywhere. */
const twoShotBytes = 2 ** 18;

/** What the instruction asks for, else what is expected to be fastest. */
export function algorithmOf(reduction: RequestedReduction): ReduceAlgorithm {
  const { algorithm: name, from, to } = reduction;
  if (from.length < 2 || to.length < 2) return direct;
  if (name === undefined) return bytesOfSum(reduction) < twoShotBytes ? direct : twoShot;
  const algorithm: ReduceAlgorithm = algorithms[name];
  if (algorithm.sameRanks && !areSame(from, to)) {
    throw new Error(`${reduction.name}: a ${name} needs the same ranks on both sides`);
  }
  return algorithm;
}

function areSame(from: readonly number[], to: readonly number[]): boolean {
  return from.length === to.length && from.every((rank) => to.includes(rank));
}

/** Whether each element is summed by one rank only, which broadcasts it. */
export function broadcastsSums(reduction: RequestedReduction): boolean {
  return algorithmOf(reduction).owners(reduction).length > 0;
}

/** Up to here a host adds in less time than a kernel begins. */
const hostBytes = 4096;

/** Whether hosts add, who must have whole words, and their own summand before them because others get it too. */
export function addsOnHost(reduction: RequestedReduction): boolean {
  const { from, to } = reduction;
  const bytes = bytesOfSum(reduction);
  if (from.length < 2 || to.length < 2 || bytes > hostBytes || bytes % 4 !== 0) return false;
  return algorithmOf(reduction).hostSum === "whole";
}
