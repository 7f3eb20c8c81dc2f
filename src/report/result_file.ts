// The result file: JSON, one run each, with a digest of all that it says.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { EnvironmentError } from "../environment_error.ts";
import { SCHEMA_VERSION, type Outcome, type RunResult } from "./result.ts";
import { sourcesSchema, type ResultSources } from "./result_schema.ts";
import { isSealed, seal } from "./seal.ts";

/** Creates the folder; replaces an older file in one step, so that a reader never sees half of one. */
export const writeResult = async (file: string, result: RunResult): Promise<void> => {
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(unfinished, `${JSON.stringify(seal(result), null, 2)}\n`);
    await rename(unfinished, file);
  } catch (error) {
    throw new EnvironmentError(
      "file-not-readable",
      `cannot write the result to ${file}: ${messageOf(error)}`,
      "choose another place with -o FILE",
    );
  }
};

/** A result as it was written, of which nothing that can be derived is believed. */
export interface StoredResult {
  readonly file: string;
  readonly sources: ResultSources;
  /** All of it, to be held against what `sources` give. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** @throws EnvironmentError `file-not-readable`, or `result-refused` where it was edited or is of another version */
export const readStored = async (file: string): Promise<StoredResult> => {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw unusable(file, messageOf(error), "check the path, or leave out --result to run the plan");
  });
  return parseStored(text, file);
};

/** As `readStored`, of a file's text. */
export const parseStored = (text: string, file: string): StoredResult => {
  const stored = parseObject(text, file);
  const { schemaVersion } = stored;
  if (schemaVersion === undefined) throw unusable(file, "it has no schemaVersion", isItAResult);
  if (schemaVersion !== SCHEMA_VERSION) {
    throw refusal(
      file,
      `its schemaVersion is ${JSON.stringify(schemaVersion)}, and this shardbench reads ${SCHEMA_VERSION}`,
    );
  }
  if (!isSealed(stored)) {
    throw refusal(
      file,
      "it was edited since the run wrote it: its content does not have the sha256 that it states",
    );
  }
  const { sha256: _, ...content } = stored;
  const { success, data, error } = sourcesSchema.safeParse(content);
  if (success) return { file, sources: data, content };
  const [issue] = error.issues;
  throw refusal(file, `${issue?.path.join(".")}: ${issue?.message}`);
};

const isItAResult = "is it the file that `shardbench run` wrote?";

const parseObject = (text: string, file: string): Record<string, unknown> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unusable(file, messageOf(error), isItAResult);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw unusable(file, "it holds no object", isItAResult);
  }
  return { ...value };
};

/** Why a file that is a result does not count. */
export const refusal = (
  file: string,
  reason: string,
  hint = "run the plan again: a result counts only as the run wrote it",
): EnvironmentError =>
  new EnvironmentError("result-refused", `the result ${file} is refused: ${reason}`, hint);

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
