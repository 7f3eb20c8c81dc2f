// Steps of a plan by this build and by another one, in turns of both: what slows the machine for a while slows both.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { EnvironmentError } from "../environment_error.ts";
import type { PairedRatio } from "../measure/paired_ratio.ts";
import { median } from "../measure/statistics.ts";
import { type GateTurn, turnsRatio } from "../measure/turns_ratio.ts";
import { readStored, type StoredResult } from "../result/result_file.ts";
import { exitCodes } from "./exit_code.ts";
import { startSteps, type StepProcess } from "./step_process.ts";

export interface TurnOptions {
  /** Folder of the other build's package. */
  readonly reference?: string;
  /** Of both, of all openings together. */
  readonly turns: number;
  readonly seed: number;
  readonly adapter?: string;
  readonly samples?: number;
}

export interface Turns {
  /** The result of a run of this build. */
  readonly own: StoredResult;
  /** Of a step beside the reference's; absent without a reference. */
  readonly ratio?: PairedRatio;
}

/** So often both builds are started anew, now one first and now the other. */
const openings = 4;
/** ms that one of them steps in a turn, about. */
const turnMs = 60;

/**
 * One run of this build, then turns with the other.
 *
 * @throws EnvironmentError where a run breaks off
 */
export async function runInTurns(
  plan: string,
  options: TurnOptions,
): Promise<Turns | "wrong numbers"> {
  const folder = await mkdtemp(join(tmpdir(), "shardbench-gate-"));
  const file = join(folder, "own.json");
  try {
    const code = await runOnce(ownMain, plan, file, options);
    if (code === exitCodes.wrongNumerics) return "wrong numbers";
    if (code !== exitCodes.fine) throw brokeOff("this build", code);
    const own = await readStored(file);
    if (options.reference === undefined) return { own };
    const ratio = await ratioTo(options.reference, plan, options, await stepMsIn(file));
    return ratio === "wrong numbers" ? ratio : { own, ratio };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const ownMain = process.argv[1] ?? "";

async function ratioTo(
  reference: string,
  plan: string,
  { seed, adapter, turns }: TurnOptions,
  stepMs: number,
): Promise<PairedRatio | "wrong numbers"> {
  const parameters = [
    plan,
    "--seed",
    String(seed),
    ...(adapter === undefined ? [] : ["--adapter", adapter]),
  ];
  const count = Math.max(1, Math.round(turnMs / stepMs));
  const found: GateTurn[][] = [];
  for (let opening = 0; opening < openings; opening += 1) {
    const openOther = () => opened(join(reference, "dist/cli/main.js"), parameters, reference);
    const before = opening % 2 === 0 ? await openOther() : undefined;
    const own = await opened(ownMain, parameters, "this build");
    const other = before ?? (await openOther());
    // The first steps of each warm it up.
    for (const process of before === undefined ? [own, other] : [other, own]) {
      await stepsOf(process, count, "the plan");
    }
    const taken: GateTurn[] = [];
    for (let turn = 0; turn < Math.ceil(turns / openings); turn += 1) {
      const take = async (which: StepProcess, who: string) =>
        median(await stepsOf(which, count, who));
      // Who goes first alternates.
      const first = turn % 2 === 0 ? await take(own, "this build") : undefined;
      const theirs = await take(other, reference);
      taken.push({ reference: theirs, own: first ?? (await take(own, "this build")) });
    }
    found.push(taken);
    const [theirs, ours] = [await other.end(), await own.end()];
    if (ours === exitCodes.wrongNumerics) return "wrong numbers";
    if (ours !== exitCodes.fine) throw brokeOff("this build", ours);
    if (theirs !== exitCodes.fine) throw brokeOff(reference, theirs);
  }
  return turnsRatio(found);
}

async function opened(
  main: string,
  parameters: readonly string[],
  who: string,
): Promise<StepProcess> {
  const started = await startSteps(main, parameters);
  if (typeof started !== "number") return started;
  throw started === exitCodes.usage
    ? new EnvironmentError(
        "missing-feature",
        `${who} is of a version that takes no turns`,
        "name the package of a build that has `gate` of the same kind",
      )
    : brokeOff(who, started);
}

async function stepsOf(process: StepProcess, count: number, who: string): Promise<number[]> {
  const found = await process.steps(count);
  if (found === undefined) throw brokeOff(who, await process.end());
  return found;
}

/** @returns the exit code; 130 where a signal ended it */
function runOnce(
  main: string,
  plan: string,
  file: string,
  { seed, adapter, samples }: TurnOptions,
): Promise<number> {
  const parameters = [
    main,
    "run",
    plan,
    "-o",
    file,
    "--seed",
    String(seed),
    ...(adapter === undefined ? [] : ["--adapter", adapter]),
    ...(samples === undefined ? [] : ["--samples", String(samples)]),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, parameters, { stdio: ["ignore", "ignore", "inherit"] });
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? exitCodes.interrupted));
  });
}

const measured = z.object({
  metrics: z.object({ stepMs: z.object({ value: z.number().positive() }) }),
});

/** Of whatever version. */
async function stepMsIn(file: string): Promise<number> {
  const content: unknown = JSON.parse(await readFile(file, "utf8"));
  return measured.parse(content).metrics.stepMs.value;
}

function brokeOff(who: string | undefined, code: number): EnvironmentError {
  return code === exitCodes.interrupted
    ? new EnvironmentError("interrupted", "the gate was interrupted", "run it again")
    : new EnvironmentError(
        "missing-feature",
        `the run of ${who ?? "the reference"} ended with ${code}`,
        "what it said is above; see that it runs the plan by itself",
      );
}
