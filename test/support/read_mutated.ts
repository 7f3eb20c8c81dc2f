// Reads a result file as commands do, and says how that ended.

import { EnvironmentError } from "../../src/environment_error.ts";
import { parseResult } from "../../src/harness/earlier_result.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { runReport } from "../../src/report/run_report.ts";
import { shown } from "./shown.ts";

export interface End {
  /** Why the file does not count. */
  readonly refusal?: string;
  /** Stack of what should not have been thrown. */
  readonly fault?: string;
}

/** Empty where the file is read and its report printed. */
export function readMutated(text: string, plan: Plan): End {
  try {
    shown(runReport(plan, parseResult(text, "r.json", plan)));
    return {};
  } catch (error) {
    if (error instanceof EnvironmentError) return { refusal: error.message };
    return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
