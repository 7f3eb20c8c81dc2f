// Runs of a plan by this build and by another one, in turns, each in a process of its own: what slows the machine for a
// while slows both.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { EnvironmentError } from "../environment_error.ts";
import { readStored, type StoredResult } from "../result/result_file.ts";
import { exitCodes } from "./exit_code.ts";

export interface TurnOptions {
  /** Folder of the other build's package. */
  readonly reference?: string;
  readonly pairs: number;
  readonly seed: number;
  readonly adapter?: string;
  readonly samples?: number;
}

export interface Turns {
  /** The first result of this build. */
  readonly own: StoredResult;
  /** ms of a step, by the median of each run; empty without a reference. */
  readonly pairs: readonly { readonly reference: number; readonly own: number }[];
}

/**
 * Which of a pair goes first alternates.
 *
 * @throws EnvironmentError where a run breaks off
 */
export async function runInTurns(
  plan: string,
  options: TurnOptions,
): Promise<Turns | "wrong numbers"> {
  const folder = await mkdtemp(join(tmpdir(), "shardbench-gate-"));
  const { reference, pairs: count } = options;
  const own = join(folder, "own.json");
  const other = join(folder, "reference.json");
  try {
    const pairs: { reference: number; own: number }[] = [];
    let first: StoredResult | undefined;
    for (let pair = 0; pair < (reference === undefined ? 1 : count); pair += 1) {
      const turns = [
        { main: process.argv[1] ?? "", file: own },
        ...(reference === undefined
          ? []
          : [{ main: join(reference, "dist/cli/main.js"), file: other }]),
      ];
      for (const { main, file } of pair % 2 === 0 ? turns : turns.toReversed()) {
        const code = await runOnce(main, plan, file, options);
        if (code === exitCodes.wrongNumerics && file === own) return "wrong numbers";
        if (code !== exitCodes.fine) throw brokeOff(file === own ? "this build" : reference, code);
      }
      first ??= await readStored(own);
      if (reference !== undefined) {
        pairs.push({ reference: await stepMsIn(other), own: await stepMsIn(own) });
      }
    }
    if (first === undefined) throw new Error("no run took place");
    return { own: first, pairs };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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
