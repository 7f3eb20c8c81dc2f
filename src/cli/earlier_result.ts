// The result that `--result` names, as a command takes it.

import { EnvironmentError } from "../environment_error.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunResult } from "../result/result.ts";

/**
 * @param seed asked for beside it; absent: whichever the run had
 * @param text of the file, where it was read before
 */
export async function earlierResult(
  file: string,
  plan: Plan,
  seed: number | undefined,
  text?: string,
): Promise<RunResult> {
  const { parseResult, readResult } = await import("../harness/earlier_result.ts");
  const result = text === undefined ? await readResult(file, plan) : parseResult(text, file, plan);
  if (seed === undefined || seed === result.seed) return result;
  throw new EnvironmentError(
    "result-refused",
    `the result ${file} is of seed ${result.seed}, not of ${seed}`,
    "leave out --seed, or run the plan with it",
  );
}
