// A made-up run as a page.

import { inspect } from "../../src/check/check_plan.ts";
import { parsePlan, readPlan } from "../../src/plan/load.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { PlanFile } from "../../src/plan/schema.ts";
import { describePlan } from "../../src/program/describe_plan.ts";
import { pageReport } from "../../src/report/page_report.ts";
import { htmlPage } from "../../src/report/render/html_page.ts";
import type { Report } from "../../src/report/section.ts";
import { runOf } from "./made_up_run.ts";

export async function reportOf(file: string): Promise<Report> {
  const { plan, document } = await readPlan(`configs/${file}`);
  return reportOfPlan(plan, document.written);
}

export function reportOfText(text: string): Report {
  const { plan, document } = parsePlan(text, "plan.json");
  return reportOfPlan(plan, document.written);
}

function reportOfPlan(plan: Plan | undefined, written: PlanFile | undefined): Report {
  if (plan === undefined || written === undefined) throw new Error("the plan must load");
  const { diagnostics } = inspect(plan);
  const result = { ...runOf(plan), written };
  return pageReport({ plan, result, described: describePlan(plan), diagnostics });
}

export async function pageOf(file: string): Promise<string> {
  return htmlPage(await reportOf(file));
}
