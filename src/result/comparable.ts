// Whether times of two results say anything of each other: the same work on the same machine by the same programs.

import { firstDifference } from "./first_difference.ts";
import type { RankAdapter, RunResult, Versions } from "./result.ts";

/** What keeps two results from being compared, each in a phrase; empty where nothing does. */
export function whyNotComparable(one: RunResult, other: RunResult): string[] {
  return [
    ...(one.plan.workHash === other.plan.workHash
      ? []
      : [`they are of other work: "${one.plan.name}" and "${other.plan.name}"`]),
    ...versionsThatDiffer(one.versions, other.versions).map(
      ([name, here, there]) => `${name} is ${here} in one and ${there} in the other`,
    ),
    ...adaptersThatDiffer(one.adapters, other.adapters),
    ...(firstDifference(one.link, other.link) === undefined
      ? []
      : ["their links are emulated otherwise"]),
    ...(noted(one) === noted(other)
      ? []
      : [`circumstances differ: ${noted(one)} in one, ${noted(other)} in the other`]),
    ...(one.samples.length > 0 && other.samples.length > 0
      ? []
      : ["one of them has timed no step"]),
  ];
}

/** Weights and tokens that were given, and how messages went; the reason after a colon may hold figures of the moment. */
function noted({ notes }: RunResult): string {
  const heads = notes.map((note) => note.split(": ", 1)[0] ?? "");
  return heads.length === 0 ? "nothing to note" : heads.join(", ");
}

/** Results of earlier versions do not tell all of them. */
function versionsThatDiffer(
  one: Versions,
  other: Versions,
): [name: string, here: string, there: string][] {
  const others = new Map<string, string>(Object.entries(other));
  return Object.entries(one).flatMap(([name, here]): [string, string, string][] => {
    const there = others.get(name);
    return there === undefined || here === there ? [] : [[name, here, there]];
  });
}

function adaptersThatDiffer(one: readonly RankAdapter[], other: readonly RankAdapter[]): string[] {
  const ranks = Math.max(one.length, other.length);
  return Array.from({ length: ranks }, (_, rank) => rank).flatMap((rank) => {
    const difference = firstDifference(one[rank], other[rank]);
    if (difference === undefined) return [];
    const { path, left, right } = difference;
    return [
      `rank ${rank}'s adapter differs${path === "" ? "" : ` in ${path}`}: ${JSON.stringify(left)} and ${JSON.stringify(right)}`,
    ];
  });
}
