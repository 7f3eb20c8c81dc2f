// Whether ranks of a plan can share sequences, which attention goes round in a ring for.

import { moeLayers } from "./layers.ts";
import { contextOf } from "./mesh.ts";
import type { Plan } from "./plan.ts";

/** What needs whole sequences on a rank; undefined where nothing does, or no ranks share any. */
export function whyContextNotRun(plan: Plan): string | undefined {
  const { degrees, stages } = plan;
  if (degrees === undefined || contextOf(degrees) === 1) return undefined;
  if (stages.some(({ layers }) => layers.some(({ op }) => op === "gated-delta"))) {
    return "linear attention takes tokens in order";
  }
  return moeLayers(plan).some(({ capacityFactor }) => capacityFactor !== undefined)
    ? "experts with a capacity take tokens in order"
    : undefined;
}
