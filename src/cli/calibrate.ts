// shardbench calibrate: what the adapters of this machine reach at best.

import type { Command } from "commander";
import { exitCodeOfRun } from "./execute.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { interruptible } from "./interruptible.ts";
import { printJson, printReports } from "./output.ts";

interface Flags {
  readonly adapter?: string;
  readonly json?: boolean;
}

export function defineCalibrate(program: Command): void {
  program
    .command("calibrate")
    .summary("measure what the adapters reach at best")
    .description(
      "Measures the ceilings of every adapter, one after the other: arithmetic, memory, transfers and\n" +
        "the cost of giving the GPU work, each by the fastest of several variants with checked results.\n" +
        "Takes some seconds per adapter, which should have nothing else to do. Runs use what is found\n" +
        "for 30 days, as long as a short measurement agrees with it.",
    )
    .option("--adapter <id>", "this adapter only, as `shardbench adapters` lists it")
    .option("--json", "print every run of every ceiling as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench calibrate
  $ shardbench calibrate --adapter gpu0 --json > peaks.json`,
    )
    .action((flags: Flags) => guarded(flags.json, () => calibrate(flags)));
}

async function calibrate({ adapter, json }: Flags): Promise<ExitCode> {
  const found = await interruptible(async (options) => {
    const { calibrateAdapters } = await import("../harness/calibrate_adapters.ts");
    return calibrateAdapters({ ...options, ...(adapter === undefined ? {} : { adapter }) });
  });
  if (json === true) printJson(found);
  else {
    const { calibrationReport } = await import("../report/calibration_report.ts");
    printReports(found.map(calibrationReport));
  }
  return found.map(exitCodeOfRun).find((code) => code !== exitCodes.fine) ?? exitCodes.fine;
}
