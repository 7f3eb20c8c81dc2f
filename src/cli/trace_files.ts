// The step that a result keeps, as files for other viewers and simulators.

import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { EnvironmentError } from "../environment_error.ts";
import type { Plan } from "../plan/plan.ts";
import { lower, stepOf } from "../program/lower.ts";
import { timelineOfResult } from "../report/sections/timeline.ts";
import { chakraFiles } from "../report/trace/chakra.ts";
import { htaFiles } from "../report/trace/hta.ts";
import { perfettoTrace } from "../report/trace/perfetto.ts";
import { telemetryOf } from "../report/trace/telemetry.ts";
import type { RunResult } from "../result/result.ts";
import type { TraceFlags } from "./trace_options.ts";
import { replaceFile } from "../result/replace_file.ts";

/**
 * Perfetto's is one file; of the others each rank has its own, `<target>/rank<n>.json` and `<target>.<n>.et`.
 *
 * @returns what was written, in a phrase
 */
export async function writeTrace(
  plan: Plan,
  result: RunResult,
  { trace: target = "", traceFormat = "perfetto" }: TraceFlags,
): Promise<string> {
  const timeline = timelineOfResult(plan, result);
  if (timeline === undefined) {
    throw new EnvironmentError(
      "missing-feature",
      "the result keeps no step to trace",
      "run the plan with this version, to its end; steps of very many spans are not kept",
    );
  }
  if (traceFormat === "perfetto") {
    await write(target, perfettoTrace(timeline, result.memory));
    return `${target}, for ui.perfetto.dev`;
  }
  const program = stepOf(lower(plan));
  const [folder, files] =
    traceFormat === "hta"
      ? [target, htaFiles(timeline, program)]
      : [dirname(target), chakraFiles(timeline, program, basename(target))];
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw notWritten(folder, error);
  });
  for (const { name, content } of files) await write(join(folder, name), content);
  return `${files.length} files, ${join(folder, files[0]?.name ?? "")} and on`;
}

/**
 * To an OpenTelemetry collector.
 *
 * @returns what was sent, in a phrase
 */
export async function sendToCollector(
  plan: Plan,
  result: RunResult,
  otel: NonNullable<TraceFlags["otel"]>,
): Promise<string> {
  const { sendTelemetry } = await import("./otel.ts");
  const telemetry = telemetryOf(result, timelineOfResult(plan, result));
  return sendTelemetry(telemetry, otel === true ? undefined : otel);
}

async function write(file: string, content: string | Uint8Array): Promise<void> {
  await replaceFile(file, content).catch((error: unknown) => {
    throw notWritten(file, error);
  });
}

function notWritten(file: string, error: unknown): EnvironmentError {
  return new EnvironmentError(
    "file-not-writable",
    `cannot write the trace to ${file}: ${error instanceof Error ? error.message : String(error)}`,
    "choose another place",
  );
}
