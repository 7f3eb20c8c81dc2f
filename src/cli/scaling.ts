// shardbench scaling: how efficient more GPUs are beside one.

import { type Command, InvalidArgumentError } from "commander";
import type { ScalingOptions } from "../harness/scaling.ts";
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
} from "./run_options.ts";
import { duration, wholeNumber } from "./values.ts";
import { seal } from "../result/seal.ts";
import { writeText } from "./write_text.ts";

interface Flags {
  readonly ranks?: readonly number[];
  readonly project?: boolean;
  readonly adapter?: string;
  readonly placement?: string;
  readonly pin?: boolean;
  readonly keepAwake?: boolean;
  readonly turns?: number;
  readonly time?: number;
  readonly output?: string;
  readonly html?: string;
  readonly json?: boolean;
}

export function defineScaling(program: Command): void {
  program
    .command("scaling")
    .argument("<file>", "plan in YAML or JSON, of inference or training")
    .summary("strong and weak scaling of a plan, and where the rest went")
    .description(
      "Runs the plan on several numbers of GPUs, each in turn with one GPU: strong with the plan's batch,\n" +
        "weak with its batch per GPU. Degrees follow: data parallelism takes what there is beside the\n" +
        "plan's tensor and pipeline degrees, which shrink where they must. Where ranks share an adapter,\n" +
        "each is timed alone and the step projected.",
    )
    .option("--ranks <list>", "numbers of GPUs (default: 1 and the plan's)", ranksOf)
    .option("--project", "also project where each rank has a device of its own")
    .addOption(adapterOption())
    .addOption(placementOption())
    .addOption(pinOption())
    .addOption(keepAwakeOption())
    .option("--turns <n>", "of each size (default: at least 7)", wholeNumber(1))
    .option("--time <duration>", "turns of each size for about this long (default: 5s)", duration)
    .option("-o, --output <file>", "also write all figures there, as JSON")
    .option("--html <file>", "also write the report as a page there, to open and share")
    .option("--json", "print the same instead of a report")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench scaling configs/moe-ep3-tp2.json --ranks 1,2,3
  $ shardbench scaling plan.yaml --pin --ranks 1,2`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => scaling(file, flags)));
}

function ranksOf(text: string): number[] {
  return text.split(",").map((part) => {
    const count = Number(part);
    if (Number.isSafeInteger(count) && count > 0) return count;
    throw new InvalidArgumentError("It has to be whole numbers above 0, such as 1,2,4.");
  });
}

async function scaling(file: string, flags: Flags): Promise<ExitCode> {
  const { plan, written } = await soundPlan(file);
  const sizes = flags.ranks ?? [1, plan.hardware.gpus];
  const harness = await import("../harness/scaling.ts");
  const found = await interruptible(async (more) =>
    harness.scaling(written, plan, sizes, { ...optionsOf(flags), ...more }),
  );
  if (flags.output !== undefined) {
    await writeText(flags.output, `${JSON.stringify(seal(found), undefined, 2)}\n`, true);
  }
  const { scalingReport } = await import("../report/scaling_report.ts");
  const report = scalingReport(plan, found);
  if (flags.json === true) printJson(found);
  else {
    printReports([report]);
    if (flags.output !== undefined) printLines(["", `Result file: ${flags.output}`]);
  }
  if (flags.html !== undefined) await writePage(flags.html, report, true, flags.json);
  return found.verdicts.some(({ judgement }) => judgement === "refuted")
    ? exitCodes.claimRefuted
    : exitCodes.fine;
}

function optionsOf(flags: Flags): ScalingOptions {
  const { project, adapter, placement, turns, time } = flags;
  return {
    ...(project === undefined ? {} : { project }),
    ...(adapter === undefined ? {} : { adapter }),
    ...(placement === undefined ? {} : { placement }),
    ...pinningOf(flags),
    ...(turns === undefined ? {} : { turns }),
    ...(time === undefined ? {} : { budgetMs: time }),
  };
}
