// A builder that adds what a plan's schedule asks for while micro-batches are lowered one after the other:
// copies of activations and backward slots. The order of slots comes afterwards, see `sequence.ts`.

import type { Plan } from "../../plan/plan.ts";
import type { Builder } from "../builder.ts";
import { recordBackward } from "./backward_stand_in.ts";
import { copyBuffers } from "./copied_buffers.ts";
import { placesOf, type Places } from "./place.ts";
import { scheduleOf, type Schedule } from "./schedule.ts";

export interface Scheduling {
  readonly schedule: Schedule;
  readonly places: Places;
}

/** Undefined where the plan's stages are no pipeline. */
export const schedulingOf = (plan: Plan): Scheduling | undefined => {
  const schedule = scheduleOf(plan);
  return schedule === undefined ? undefined : { schedule, places: placesOf(plan, schedule) };
};

export interface ScheduledBuilder extends Builder {
  /** To be called when a micro-batch has been lowered. */
  endMicroBatch(): void;
}

export const scheduleBuilder = (
  builder: Builder,
  plan: Plan,
  scheduling: Scheduling | undefined,
): ScheduledBuilder => {
  if (scheduling === undefined || scheduling.schedule.name === "forward") {
    return { ...builder, endMicroBatch() {} };
  }
  const { schedule, places } = scheduling;
  const backward = recordBackward(builder, places, plan.stages.length);
  const seen: Builder = {
    ...builder,
    emit(rank, instruction) {
      backward.see(rank, instruction);
      builder.emit(rank, instruction);
    },
  };
  const copying = copyBuffers(seen, schedule, places);
  return {
    ...copying,
    endMicroBatch() {
      copying.end();
      backward.emit();
    },
  };
};
