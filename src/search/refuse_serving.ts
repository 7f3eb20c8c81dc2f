// Plans that a search has no moves for.

import { EnvironmentError } from "../environment_error.ts";
import type { Plan } from "../plan/plan.ts";

export function refuseServing({ workload, name }: Plan): void {
  if (workload.mode !== "serving") return;
  throw new EnvironmentError(
    "not-searched",
    `${name} serves: how requests are spread is not searched`,
    "search its model in inference, with the sequence that a request has",
  );
}
