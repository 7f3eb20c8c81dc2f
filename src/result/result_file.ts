// The result file: JSON, one run each, with a digest of all that it says.

import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { EnvironmentError } from "../environment_error.ts";
import { readInput } from "../read_input.ts";
import { jsonObject } from "./sealed_file.ts";
import { replaceFile } from "./replace_file.ts";
import { SCHEMA_VERSION, type RunResult } from "./result.ts";
import { sourcesSchema, type ResultSources } from "./result_schema.ts";
import { textOfResult } from "./result_text.ts";
import { samplesFromColumns } from "./sample_columns.ts";
import { isSealed } from "./seal.ts";

/** Creates the folder; replaces an older file in one step, so that a reader never sees half of one. */
export async function writeResult(file: string, result: RunResult): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await replaceFile(file, textOfResult(result));
  } catch (error) {
    throw notWritable(file, error);
  }
}

export function notWritable(file: string, error: unknown): EnvironmentError {
  return new EnvironmentError(
    "file-not-writable",
    `cannot write the result to ${file}: ${messageOf(error)}`,
    "choose another place with -o FILE",
  );
}

/** A result as it was written, of which nothing that can be derived is believed. */
export interface StoredResult {
  readonly file: string;
  readonly sources: ResultSources;
  /** All of it, to be held against what `sources` give. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** @throws EnvironmentError `file-not-readable`, or `result-refused` where it was edited or is of another version */
export async function readStored(file: string): Promise<StoredResult> {
  return parseStored(await readResultText(file), file);
}

/** @throws EnvironmentError `file-not-readable` */
export async function readResultText(file: string): Promise<string> {
  return readInput(file).catch((error: unknown) => {
    throw unusable(file, messageOf(error), "check the path, or leave out --result to run the plan");
  });
}

/** As `readStored`, of a file's text. */
export function parseStored(text: string, file: string): StoredResult {
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
  const { sha256: _, ...sealed } = stored;
  const content = {
    ...sealed,
    samples: expanded(sealed["samples"], file),
    ...("trace" in sealed ? { trace: expandedTrace(sealed["trace"], file) } : {}),
  };
  const { success, data, error } = sourcesSchema.safeParse(content);
  if (success) return { file, sources: data, content };
  const [issue] = error.issues;
  throw refusal(file, `${issue?.path.join(".")}: ${issue?.message}`);
}

function expanded(columns: unknown, file: string): unknown[] {
  try {
    return samplesFromColumns(columns);
  } catch (error) {
    throw refusal(file, messageOf(error));
  }
}

/** The spans of its ranks; what else is wrong with it, its schema says. */
function expandedTrace(trace: unknown, file: string): unknown {
  if (!isRecord(trace) || !Array.isArray(trace["ranks"])) return trace;
  const ranks = trace["ranks"].map((rank: unknown) =>
    isRecord(rank) ? { ...rank, spans: expanded(rank["spans"], file) } : rank,
  );
  return { ...trace, ranks };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How many samples a run that broke off kept; more than any run keeps where the text is anything else. */
export function samplesKept(text: string): number {
  try {
    const { outcome, samples } = parseStored(text, "").sources;
    return outcome.state === "complete" ? Infinity : samples.length;
  } catch {
    return Infinity;
  }
}

const isItAResult = "is it the file that `shardbench run` wrote?";

function parseObject(text: string, file: string): Readonly<Record<string, unknown>> {
  const parsed = jsonObject(text);
  if ("why" in parsed) throw unusable(file, parsed.why, isItAResult);
  return parsed.object;
}

/** Why a file that is a result does not count. */
export function refusal(
  file: string,
  reason: string,
  hint = "run the plan again: a result counts only as the run wrote it",
): EnvironmentError {
  return new EnvironmentError("result-refused", `the result ${file} is refused: ${reason}`, hint);
}

function unusable(file: string, reason: string, hint: string): EnvironmentError {
  return new EnvironmentError(
    "file-not-readable",
    `cannot use the result ${file}: ${reason}`,
    hint,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
