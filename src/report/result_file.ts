// The result file: JSON, one run each.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { EnvironmentError } from "../environment_error.ts";
import { SCHEMA_VERSION, type Outcome, type RunResult } from "./result.ts";

/** Creates the folder; replaces an older file in one step, so that a reader never sees half of one. */
export const writeResult = async (file: string, result: RunResult): Promise<void> => {
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(unfinished, `${JSON.stringify(result, null, 2)}\n`);
    await rename(unfinished, file);
  } catch (error) {
    throw new EnvironmentError(
      "file-not-readable",
      `cannot write the result to ${file}: ${messageOf(error)}`,
      "choose another place with -o FILE",
    );
  }
};

export const readResult = async (file: string): Promise<RunResult> => {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw unusable(file, messageOf(error), "check the path, or leave out --result to run the plan");
  });
  return parseResult(text, file);
};

/** The file is trusted beyond its version: it was written by this program. */
export const parseResult = (text: string, file: string): RunResult => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unusable(file, messageOf(error), "is it the file that `shardbench run` wrote?");
  }
  if (isResult(value)) return value;
  const version =
    typeof value === "object" && value !== null ? Reflect.get(value, "schemaVersion") : undefined;
  throw unusable(
    file,
    version === undefined
      ? "it has no schemaVersion"
      : `its schemaVersion is ${JSON.stringify(version)}, and this shardbench reads ${SCHEMA_VERSION}`,
    "run the plan again with this version",
  );
};

const isResult = (value: unknown): value is RunResult =>
  typeof value === "object" &&
  value !== null &&
  Reflect.get(value, "schemaVersion") === SCHEMA_VERSION &&
  ["plan", "adapters", "metrics", "samples", "outcome", "estimate"].every(
    (key) => typeof Reflect.get(value, key) === "object",
  );

const unusable = (file: string, reason: string, hint: string): EnvironmentError =>
  new EnvironmentError("file-not-readable", `cannot use the result ${file}: ${reason}`, hint);

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/**
 * Where a run leaves its result unless told otherwise; names of plans may hold anything. What a broken run
 * kept has a place of its own, so that it does not replace the result of an earlier, complete one.
 */
export const resultPath = (planName: string, { state }: Outcome): string => {
  const name = planName.replaceAll(/[^\p{Letter}\p{Number}._-]+/gu, "-").replace(/^\.+/, "-");
  return `results/${name}${state === "complete" ? "" : ".partial"}.json`;
};
