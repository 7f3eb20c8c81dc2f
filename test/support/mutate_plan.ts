// Plans that something went wrong with, and how loading, checking and estimating them ends.

import { checkPlan, hasErrors } from "../../src/check/check_plan.ts";
import type { RandomSource } from "../../src/seeded_random.ts";
import { parsePlan } from "../../src/plan/load.ts";
import { belowOf, mutate, scribbled } from "./mutate.ts";
import type { End } from "./read_mutated.ts";

/** One to three faults in a plan of JSON. */
export function mutatedPlan(text: string, random: RandomSource): string {
  if (random() < 0.15) return scribbled(text, random);
  const content = JSON.parse(text) as object;
  const faults = 1 + belowOf(random)(3);
  for (let fault = 0; fault < faults; fault += 1) mutate(content, random);
  return JSON.stringify(content);
}

/** Checks a plan as `check` does. */
export function checkMutated(text: string): End {
  try {
    const { plan, document, diagnostics } = parsePlan(text, "plan.json");
    const all = plan === undefined ? diagnostics : checkPlan(plan, document);
    if (hasErrors(all)) return { refusal: all.map(({ code }) => code).join(", ") };
    return plan === undefined ? { fault: "no plan and no error" } : {};
  } catch (error) {
    return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
