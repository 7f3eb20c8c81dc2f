// shardbench ablate: what each technique of a plan is worth here.

import type { Command } from "commander";
import type { AblateOptions } from "../harness/ablate.ts";
import { soundPlan } from "./bad_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { writePage } from "./html_file.ts";
import { interruptible } from "./interruptible.ts";
import { printJson, printLines, printReports } from "./output.ts";
import {
  adapterOption,
  keepAwakeOption,
  pinningOf,
  pinOption,
  placementOption,
  withSeed,
} from "./run_options.ts";
import { duration, wholeNumber } from "./values.ts";
import { seal } from "../result/seal.ts";
import { writeText } from "./write_text.ts";

interface Flags {
  readonly adapter?: string;
  readonly placement?: string;
  readonly pin?: boolean;
  readonly keepAwake?: boolean;
  readonly rounds?: number;
  readonly time?: number;
  readonly seed?: number;
  readonly output?: string;
  readonly html?: string;
  readonly json?: boolean;
}

export function defineAblate(program: Command): void {
  program
    .command("ablate")
    .argument("<file>", "plan in YAML or JSON, of inference or training")
    .summary("what each technique of a plan is worth, alone and in pairs")
    .description(
      "Switches each optimization that the plan names off, and each two of them; opens all of these\n" +
        "programs on the same ranks, checks their numbers, and times their steps in turn.",
    )
    .addOption(adapterOption())
    .addOption(placementOption())
    .addOption(pinOption())
    .addOption(keepAwakeOption())
    .option("--rounds <n>", "steps of each program (default: at least 7)", wholeNumber(1))
    .option("--time <duration>", "rounds for about this long (default: 20s)", duration)
    .option("--seed <n>", "seed of weights and inputs, instead of the plan's", wholeNumber(0))
    .option("-o, --output <file>", "also write all samples and effects there, as JSON")
    .option("--html <file>", "also write the report as a page there, to open and share")
    .option("--json", "print the same instead of a report")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench ablate configs/training-techniques.yaml
  $ shardbench ablate plan.yaml --rounds 20 -o ablation.json`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => ablate(file, flags)));
}

async function ablate(file: string, flags: Flags): Promise<ExitCode> {
  const plan = withSeed((await soundPlan(file)).plan, flags.seed);
  const harness = await import("../harness/ablate.ts");
  const ablation = await interruptible(async (more) =>
    harness.ablate(plan, { ...optionsOf(flags), ...more }),
  );
  if (flags.output !== undefined) {
    await writeText(flags.output, `${JSON.stringify(seal(ablation), undefined, 2)}\n`, true);
  }
  const { ablateReport } = await import("../report/ablate_report.ts");
  const report = ablateReport(plan, ablation);
  if (flags.json === true) printJson(ablation);
  else {
    printReports([report]);
    if (flags.output !== undefined) printLines(["", `Result file: ${flags.output}`]);
  }
  if (flags.html !== undefined) await writePage(flags.html, report, true, flags.json);
  return exitCodes.fine;
}

function optionsOf(flags: Flags): AblateOptions {
  const { adapter, placement, rounds, time } = flags;
  return {
    ...(adapter === undefined ? {} : { adapter }),
    ...(placement === undefined ? {} : { placement }),
    ...pinningOf(flags),
    ...(rounds === undefined ? {} : { rounds }),
    ...(time === undefined ? {} : { budgetMs: time }),
  };
}
