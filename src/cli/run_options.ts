// The options of every command that runs a plan, and what they mean to the harness.

import { Option, type Command } from "commander";
import type { RunOptions } from "../harness/run_options.ts";
import type { Plan } from "../plan/plan.ts";
import { duration, wholeNumber } from "./values.ts";

export interface RunFlags {
  readonly adapter?: string;
  readonly placement?: string;
  readonly pin?: boolean;
  readonly keepAwake?: boolean;
  readonly runs?: number;
  readonly samples?: number;
  readonly warmup?: number;
  /** ms */
  readonly time?: number;
  readonly seed?: number;
  /** False for `--no-tune`. */
  readonly tune?: boolean;
  /** ms */
  readonly tuneTime?: number;
  readonly recalibrate?: boolean;
  readonly check?: "auto" | "oracle" | "unsharded";
}

export function addRunOptions(command: Command): Command {
  return command
    .addOption(adapterOption())
    .addOption(placementOption())
    .addOption(pinOption())
    .addOption(keepAwakeOption())
    .option("--samples <n>", "time exactly this many steps, in each run", wholeNumber(1))
    .option(
      "--warmup <n>",
      "steps that are run first and not timed (default: one, and a second of them)",
      wholeNumber(0),
    )
    .option(
      "--time <duration>",
      "time steps for about this long, such as 5s, in each run",
      duration,
    )
    .option("--no-tune", "take the usual variant of every kernel, whatever tuning found out")
    .option(
      "--tune-time <duration>",
      "try variants of kernels for about this long on each adapter (default: 2s)",
      duration,
    )
    .option("--seed <n>", "seed of weights and inputs, instead of the plan's", wholeNumber(0))
    .option("--recalibrate", "measure peaks even if those that `calibrate` kept still hold")
    .addOption(
      new Option("--check <method>", "what the numbers are held against").choices([
        "auto",
        "oracle",
        "unsharded",
      ]),
    );
}

/** Of commands that judge speed. @param usual how many runs without it */
export function runsOption(usual: number): Option {
  return new Option(
    "--runs <n>",
    `repeat with ranks opened anew, and judge by the spread between runs (default: ${usual})`,
  ).argParser(wholeNumber(1));
}

export function adapterOption(): Option {
  return new Option(
    "--adapter <id>",
    "adapter for every rank, as `shardbench adapters` lists them",
  );
}

export function placementOption(): Option {
  return new Option("--placement <list>", "adapter per rank, such as 0=gpu0,1=swiftshader");
}

export function pinOption(): Option {
  return new Option(
    "--pin",
    "each rank on a core of its own, so that software adapters do not contend (Linux)",
  );
}

export function keepAwakeOption(): Option {
  return new Option(
    "--keep-awake",
    "pin, and let no core sleep between kernels: on virtual machines they come back slow",
  );
}

export function pinningOf({
  pin,
  keepAwake,
}: Pick<RunFlags, "pin" | "keepAwake">): Pick<RunOptions, "pin"> {
  if (keepAwake === true) return { pin: "awake" };
  return pin === undefined ? {} : { pin };
}

export function runOptions(flags: RunFlags): RunOptions {
  return {
    ...(flags.adapter === undefined ? {} : { adapter: flags.adapter }),
    ...(flags.placement === undefined ? {} : { placement: flags.placement }),
    ...pinningOf(flags),
    ...(flags.runs === undefined ? {} : { runs: flags.runs }),
    ...(flags.samples === undefined ? {} : { samples: flags.samples }),
    ...(flags.warmup === undefined ? {} : { warmup: flags.warmup }),
    ...(flags.time === undefined ? {} : { budgetMs: flags.time }),
    ...(flags.tune === false
      ? { tune: false }
      : flags.tuneTime === undefined
        ? {}
        : { tune: flags.tuneTime }),
    ...(flags.recalibrate === undefined ? {} : { recalibrate: flags.recalibrate }),
    ...(flags.check === undefined ? {} : { check: flags.check }),
  };
}

export function withSeed(plan: Plan, seed: number | undefined): Plan {
  return seed === undefined ? plan : { ...plan, workload: { ...plan.workload, seed } };
}
