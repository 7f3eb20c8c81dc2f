// A result as a page, with what can be said of its plan.

import { inspect } from "../check/check_plan.ts";
import type { Plan } from "../plan/plan.ts";
import { describePlan } from "../program/describe_plan.ts";
import { pageReport } from "../report/page_report.ts";
import { htmlPage } from "../report/render/html_page.ts";
import type { RunResult } from "../result/result.ts";

/** One HTML file. */
export function pageOf(plan: Plan, result: RunResult): string {
  const { diagnostics } = inspect(plan);
  return htmlPage(pageReport({ plan, result, described: describePlan(plan), diagnostics }));
}
