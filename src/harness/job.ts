// What all parts of a run share: what is to run and where, and the record that grows as it does.

import type { AdapterReport } from "../gpu/adapter.ts";
import type { Plan } from "../plan/plan.ts";
import type { Program } from "../program/program.ts";
import type { RunRecord } from "../result/assemble_result.ts";
import type { ObservedBuffer } from "../runtime/observation.ts";
import type { RunOptions } from "./run_options.ts";
import { openSource } from "../data/open_source.ts";
import { type CheckMethod, type Observe, verify } from "./verify.ts";

/** Samples and outcome are put to it at the end. */
export type GrowingRecord = Omit<RunRecord, "outcome" | "phases" | "samples">;

export interface Job {
  readonly plan: Plan;
  /** Lowered from `plan`. */
  readonly program: Program;
  /** By rank. */
  readonly placement: readonly AdapterReport[];
  readonly options: RunOptions & { readonly onProgress: NonNullable<RunOptions["onProgress"]> };
  /** Lets signals and messages in; throws once the run is to end. */
  readonly pause: () => Promise<void>;
  readonly record: () => GrowingRecord;
  readonly note: (more: Partial<GrowingRecord>) => void;
}

/** Checks the numbers of the ranks that are observed, and notes what came of it. */
export async function checkNumbers(
  { plan, program, options, pause, record, note }: Job,
  observe: Observe,
): Promise<readonly ObservedBuffer[]> {
  options.onProgress({ phase: "check" });
  const method: CheckMethod = options.check ?? "auto";
  const source = await openSource(program, options.given);
  const { outcome, observed } = await verify(plan, program, method, observe, pause, source);
  const timed = record().check?.timed;
  note({ check: { ...outcome, ...(timed === undefined ? {} : { timed }) } });
  return observed;
}

/** Steps whose results were those that were checked, in one run more. */
export function noteTimedSteps(
  { record, note }: Job,
  more: { readonly steps: number; readonly microBatches: number },
): void {
  const { check } = record();
  if (check === undefined) return;
  const steps = more.steps + (check.timed?.steps ?? 0);
  note({ check: { ...check, timed: { ...more, steps } } });
}
