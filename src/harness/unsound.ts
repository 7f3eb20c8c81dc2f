// Why a variant of a plan does not run anywhere, be its GPUs as large as they like: those it runs on here are others.

import { checkPlan } from "../check/check_plan.ts";
import type { Plan } from "../plan/plan.ts";

/** The first error of the plan, its own GPUs' memory left out. */
export function whyUnsound({ hardware, ...plan }: Plan): string | undefined {
  const { memoryPerGpu: _, ...anyMemory } = hardware;
  const found = checkPlan({ ...plan, hardware: anyMemory });
  return found.find(({ severity }) => severity === "error")?.message;
}
