// A plan on its ranks whose numbers are right, for commands that time several plans in turn.

import { setImmediate } from "node:timers/promises";
import type { AdapterReport } from "../gpu/adapter.ts";
import type { Plan } from "../plan/plan.ts";
import { lower } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { openRanks, type OpenRanksOptions } from "../runtime/coordinator.ts";
import type { RankPool } from "../runtime/rank_pool.ts";
import { observeOn } from "./observe.ts";
import type { RunOptions } from "./run_options.ts";
import { checkTimedSteps } from "./timed_steps.ts";
import { type Verification, verify } from "./verify.ts";

export type OpenCheckedOptions = Pick<
  RunOptions,
  "adapter" | "placement" | "pin" | "link" | "onProgress" | "signal"
> &
  Pick<OpenRanksOptions, "known">;

export interface OpenChecked {
  readonly program: Program;
  readonly pool: RankPool;
  /** What its check was shown. */
  readonly checked: Verification["observed"];
}

/** Its numbers are right. */
export async function openChecked(
  plan: Plan,
  placement: readonly AdapterReport[],
  options: OpenCheckedOptions,
): Promise<OpenChecked> {
  const { signal, pin, link, known, onProgress } = options;
  const program = lower(plan);
  onProgress?.({ phase: "ranks", total: placement.length });
  const pool = await openRanks(program, placement, {
    ...(signal === undefined ? {} : { signal }),
    ...(pin === undefined ? {} : { pinToCores: pin }),
    ...(link === undefined ? {} : { link }),
    ...(known === undefined ? {} : { known }),
  });
  try {
    onProgress?.({ phase: "check" });
    const observe = observeOn(pool, program, placement, options);
    const { observed } = await verify(plan, program, "auto", observe, noPause);
    return { program, pool, checked: observed };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/** @throws NumericsError where a timed step left another result than the checked one */
export async function checkTimed({ pool, checked }: OpenChecked, steps: number): Promise<void> {
  checkTimedSteps(checked, await pool.askAll("digests", {}), steps);
}

async function noPause(): Promise<void> {
  await setImmediate();
}
