// A claim on the bytes of keys and values: the plan's own requests and model decide it.

import type { Plan } from "../plan/plan.ts";
import type { MemoryNeed } from "../program/memory.ts";
import { claimedBy, fromPlan, largest, ratioOf, type Case } from "./case.ts";
import { memoryAssumptions, memoryObstacles } from "./obstacles.ts";
import type { ClaimDefinition } from "./table.ts";
import type { Judgement, Verdict } from "./verdict.ts";
import { percent, quantity } from "./words.ts";

export function judgeCache(given: Case, claim: ClaimDefinition, value: number): Verdict {
  const { plan, estimate } = given;
  const bytes = estimate.memory.reduce((sum, { keyValueCache }) => sum + keyValueCache, 0);
  const leansOn = memoryAssumptions(plan);
  const found = fromPlan(bytes, "B");
  const claimed = claimedBy(claim, value);
  return {
    ...claimed,
    provenance: "estimated",
    leansOn,
    found,
    ...ratioOf(found, claimed.claimed),
    ...decide(given, claim, value, bytes),
    needs: [],
  };
}

function decide(
  { plan, estimate }: Case,
  { tolerance }: ClaimDefinition,
  value: number,
  bytes: number,
): { readonly judgement: Judgement; readonly reason: string } {
  const gives = `the plan's requests have ${quantity(bytes, "B")} of keys and values`;
  const obstacles = memoryObstacles(plan);
  if (obstacles.length > 0) {
    return { judgement: "untestable", reason: `${gives}; ${obstacles.join("; ")}` };
  }
  const isNear = (of: number): boolean => Math.abs(of - value) <= tolerance * value;
  if (isNear(bytes)) {
    return { judgement: "confirmed", reason: `${gives}, tolerance ${percent(tolerance)}` };
  }
  if (value > bytes) {
    return {
      judgement: "untestable",
      reason: `${gives}; an engine may reserve more than these need`,
    };
  }
  const once = bytes / copiesOf(plan);
  if (once < bytes && isNear(once)) {
    return {
      judgement: "ambiguous",
      reason: `${gives}, copies on tensor ranks included, and ${quantity(once, "B")} without, tolerance ${percent(tolerance)}`,
    };
  }
  if (hasStates(plan)) {
    return {
      judgement: "untestable",
      reason: `${gives}, with states of linear attention in f32, which a claim may leave out or have in fewer bits`,
    };
  }
  const least = leastBytes(estimate.memory) / copiesOf(plan);
  if (value < least * (1 - tolerance)) {
    return { judgement: "refuted", reason: `${gives}, tolerance ${percent(tolerance)}` };
  }
  return {
    judgement: "untestable",
    reason: `${gives}; an engine may keep ${quantity(least, "B")}: each key once, and of layers with a window no more than that`,
  };
}

/** Windows and chunks may leave the cache of a GPU no more, beside its weights. */
function leastBytes(memory: readonly MemoryNeed[]): number {
  return memory.reduce((sum, { least, weights }) => sum + Math.max(0, least - weights), 0);
}

/** Tensor ranks that keep the same keys: where there are more of them than heads, or heads share a latent. */
function copiesOf({ stages }: Plan): number {
  return largest(
    stages.flatMap(({ layers }) => layers),
    (layer) => {
      if (layer.op !== "attention") return 1;
      const members = layer.groups[0]?.length ?? 1;
      return layer.latent === undefined ? Math.max(1, members / layer.kvHeads) : members;
    },
  );
}

function hasStates({ stages }: Plan): boolean {
  return stages.some(({ layers }) => layers.some(({ op }) => op === "gated-delta"));
}
