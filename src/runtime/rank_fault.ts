// What went wrong with a rank, as one typed error that says which rank and where in its program.

import { EnvironmentError } from "../environment_error.ts";
import type { RankProgram } from "../program/program.ts";
import { describeInstruction } from "../program/describe_instruction.ts";
import { type ErrorRecord, revive } from "./error_record.ts";
import type { RankPosition } from "./messages.ts";
import type { RankEnd } from "./rank_process.ts";
import type { Hang } from "./watchdog.ts";

/** Where the rank was when it happened, as far as it is known. */
export interface Scene {
  readonly program: RankProgram;
  readonly adapter: string;
  readonly position: RankPosition;
  /** What it had been asked for: `open`, `step`, … */
  readonly task: string | undefined;
}

/** It would happen again: what was being tried is not known to the next run. */
const tuningHint =
  "some variant of a kernel may be too much for the driver; run with --no-tune, which tries none";

export function diedError(scene: Scene, { code, signal, lastWords }: RankEnd): EnvironmentError {
  const how =
    signal !== null
      ? `was killed by ${signal}`
      : code === null
        ? "ended"
        : `ended with exit code ${code}`;
  return new EnvironmentError(
    "rank-died",
    `${who(scene)} ${how} ${where(scene)}${lastWords === "" ? "" : `\n${lastWords}`}`,
    scene.task === "tune"
      ? tuningHint
      : signal === "SIGKILL"
        ? "if nobody killed it, the machine ran out of memory: use a smaller batch or fewer ranks"
        : "run again with another adapter to tell a faulty driver from a fault of ours",
  );
}

export function hungError(scene: Scene, { reason }: Hang): EnvironmentError {
  return new EnvironmentError(
    "rank-hung",
    `${who(scene)} ${reason}, ${where(scene)}`,
    scene.task === "tune"
      ? tuningHint
      : "see whether the process is stopped or its driver hangs; smaller shapes make shorter kernels",
  );
}

/** Of the class that the rank threw: a bug of ours stays one, wrong numbers stay wrong numbers. */
export function thrownError(scene: Scene, record: ErrorRecord): Error {
  return revive(record, `${who(scene)} failed ${where(scene)}: ${record.message}`);
}

function who({ program, adapter }: Scene): string {
  return `rank ${program.rank} (${adapter})`;
}

function where({ program, position, task }: Scene): string {
  const { instruction: index, activity } = position;
  const instruction = index === undefined ? undefined : program.instructions[index];
  if (index === undefined || instruction === undefined) {
    return task === undefined ? "between two tasks" : `during ${task}`;
  }
  const step = `instruction ${index + 1} of ${program.instructions.length}`;
  return `at ${describeInstruction(instruction)}, ${step}, ${phrases[activity]}`;
}

const phrases: Record<RankPosition["activity"], string> = {
  idle: "idle",
  host: "at work on the host",
  readback: "reading back from its GPU",
  move: "moving bytes to other ranks",
  upload: "uploading to its GPU",
  wait: "waiting for other ranks",
  drain: "waiting for its GPU",
};
