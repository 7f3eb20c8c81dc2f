// The claims of a plan, without a run.

import type { Verdict } from "../claims/verdict.ts";
import type { Plan } from "../plan/plan.ts";
import type { Report } from "./section.ts";
import { claimsSection } from "./sections/claims.ts";

export function claimsReport({ name }: Plan, verdicts: readonly Verdict[]): Report {
  return {
    title: [{ text: `${name}: claims, without a run`, tone: "strong" }],
    sections: [claimsSection(verdicts)],
  };
}
