// A result as a page, with what can be said of its plan.

import { inspect } from "../check/check_plan.ts";
import type { Plan } from "../plan/plan.ts";
import { describePlan } from "../program/describe_plan.ts";
import { type PageContent, pageReport } from "../report/page_report.ts";
import { htmlPage } from "../report/render/html_page.ts";
import type { RunResult } from "../result/result.ts";

/** One HTML file. @param beside what else was measured of the plan */
export function pageOf(
  plan: Plan,
  result: RunResult,
  beside: Pick<PageContent, "ablation" | "scaling"> = {},
): string {
  const { diagnostics } = inspect(plan);
  const described = describePlan(plan);
  return htmlPage(pageReport({ plan, result, described, diagnostics, ...beside }));
}
