// shardbench train: steps of a training plan one after the other, and how the loss falls.

import { type Command, InvalidArgumentError } from "commander";
import type { TrainedStep } from "../harness/train.ts";
import { soundPlan } from "./bad_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { interruptible } from "./interruptible.ts";
import { printJson, printReports } from "./output.ts";
import { adapterOption, placementOption } from "./run_options.ts";

interface Flags {
  readonly steps: number;
  readonly adapter?: string;
  readonly placement?: string;
  readonly json?: boolean;
}

export function defineTrain(program: Command): void {
  program
    .command("train")
    .argument("<file>", "plan in YAML or JSON, with workload.optimizer")
    .summary("steps of training, and how the loss falls")
    .description(
      "Trains a plan on real adapters, on batches of workload.data or else on the same batch in every\n" +
        "step: checks the first step's loss and gradients, then takes steps from the weights that the one\n" +
        "before left.",
    )
    .option("--steps <n>", "how many", countOf, 20)
    .addOption(adapterOption())
    .addOption(placementOption())
    .option("--json", "print loss and gradient norm of every step as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench train configs/training-small.yaml
  $ shardbench train plan.yaml --steps 100 --json`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => train(file, flags)));
}

function countOf(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("It has to be a whole number above 0.");
}

async function train(file: string, { steps, adapter, placement, json }: Flags): Promise<ExitCode> {
  const { plan } = await soundPlan(file);
  const harness = await import("../harness/train.ts");
  const taken = await interruptible((more): Promise<TrainedStep[]> =>
    harness.train(plan, steps, {
      ...more,
      ...(adapter === undefined ? {} : { adapter }),
      ...(placement === undefined ? {} : { placement }),
    }),
  );
  if (json === true) {
    printJson(taken);
    return exitCodes.fine;
  }
  const { trainReport } = await import("../report/train_report.ts");
  printReports([trainReport(plan, taken)]);
  return exitCodes.fine;
}
