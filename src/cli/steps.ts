// shardbench steps: takes steps of a plan when it is told to, for a gate that has this build and another take turns.
// Each line of its input is a number of steps, each line of its output their times in ms; the first says that it is ready.

import { createInterface } from "node:readline";
import { type Command, InvalidArgumentError } from "commander";
import { soundPlan } from "./bad_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { adapterOption, withSeed } from "./run_options.ts";
import { wholeNumber } from "./values.ts";

interface Flags {
  readonly seed?: number;
  readonly adapter?: string;
}

export function defineSteps(program: Command): void {
  program
    .command("steps", { hidden: true })
    .argument("<file>", "plan in YAML or JSON")
    .summary("take steps when told to, one line of standard input for each turn")
    .addOption(adapterOption())
    .option("--seed <n>", "seed of weights and inputs, instead of the plan's", wholeNumber(0))
    .action((file: string, flags: Flags) => guarded(true, () => steps(file, flags)));
}

async function steps(file: string, { seed, ...options }: Flags): Promise<ExitCode> {
  const { plan: asWritten } = await soundPlan(file);
  const { openSteps } = await import("../harness/open_steps.ts");
  const open = await openSteps(withSeed(asWritten, seed), options);
  try {
    tell([]);
    for await (const line of createInterface({ input: process.stdin })) {
      const count = Number(line);
      if (!(count >= 1)) throw new InvalidArgumentError(`${line} is no number of steps`);
      tell(await open.steps(count));
    }
  } finally {
    await open.close();
  }
  return exitCodes.fine;
}

function tell(stepMs: readonly number[]): void {
  process.stdout.write(`${JSON.stringify(stepMs)}\n`);
}
