// The schedule of a plan with the slots that its instructions belong to.

import type { Plan } from "../../plan/plan.ts";
import { placesOf, type Places } from "./place.ts";
import { scheduleOf, type Schedule } from "./schedule.ts";

export interface Scheduling {
  readonly schedule: Schedule;
  readonly places: Places;
}

/** Undefined where the plan's stages are no pipeline. */
export function schedulingOf(plan: Plan): Scheduling | undefined {
  const schedule = scheduleOf(plan);
  return schedule === undefined ? undefined : { schedule, places: placesOf(plan, schedule) };
}

/** Whether its slots hold backward passes. */
export function hasBackward(scheduling: Scheduling | undefined): scheduling is Scheduling {
  return scheduling !== undefined && scheduling.schedule.name !== "forward";
}
