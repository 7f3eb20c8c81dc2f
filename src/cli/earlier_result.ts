// The result that `--result` names, as a command takes it.

import { EnvironmentError } from "../environment_error.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunResult } from "../result/result.ts";

/** @param seed asked for beside it; absent: whichever the run had */
export async function earlierResult(
  file: string,
  plan: Plan,
  seed: number | undefined,
): Promise<RunResult> {
  const { readResult } = await import("../harness/earlier_result.ts");
  const result = await readResult(file, plan);
  if (seed === undefined || seed === result.seed) return result;
  throw new EnvironmentError(
    "result-refused",
    `the result ${file} is of seed ${result.seed}, not of ${seed}`,
    "leave out --seed, or run the plan with it",
  );
}
