// What a page measured in a browser: times of each kernel of a plan, and the adapter's peaks. A file that `simulate
// --result` and `estimate --result` take.

import { z } from "zod";
import { EnvironmentError } from "../environment_error.ts";
import type { MeasuredCeilings } from "../measure/ceiling.ts";
import { ceilingsSchema } from "./result_schema.ts";
import { browserTimesKind } from "./page_data.ts";
import { date } from "./schema_keys.ts";
import { sealedContent } from "./sealed_file.ts";

const positive = z.number().positive();

const timedCall = z.object({
  /** `callKey`. */
  call: z.string(),
  kernel: z.string(),
  dtype: z.string(),
  /** The shader that computed it. */
  variant: z.string(),
  /** In a step, over all ranks. */
  uses: z.int().positive(),
  flops: z.number().nonnegative(),
  bytes: z.number().nonnegative(),
  /** Of one dispatch, by sample. */
  ms: z.array(positive).min(1),
});

const browserTimes = z.object({
  kind: z.literal(browserTimesKind),
  version: z.literal(1),
  shardbench: z.string(),
  date,
  plan: z.object({ name: z.string(), workHash: z.string() }),
  /** The browser and the system, as it names itself. */
  browser: z.string(),
  adapter: z.object({ name: z.string(), software: z.boolean() }),
  check: z.object({
    method: z.string(),
    error: z.number().nonnegative(),
    tolerance: positive,
    values: z.int().positive(),
  }),
  /** Every call of the plan's program. */
  calls: z.array(timedCall).min(1),
  streamedBytes: z.int().positive(),
  ceilings: ceilingsSchema,
});

export type TimedCall = Readonly<z.infer<typeof timedCall>>;

export interface BrowserTimes extends Readonly<Omit<z.infer<typeof browserTimes>, "ceilings">> {
  readonly ceilings: MeasuredCeilings;
}

/** Whether a file's text says that it is one. */
export function saysBrowserTimes(text: string): boolean {
  return text.slice(0, 4096).includes(`"${browserTimesKind}"`);
}

/** @throws EnvironmentError `result-refused` where it was edited, is of another version, or its numbers were wrong */
export function parseBrowserTimes(text: string, file: string): BrowserTimes {
  const found = sealedContent(text, browserTimes);
  if ("why" in found) throw refused(file, found.why);
  const { error, tolerance } = found.content.check;
  if (error > tolerance) throw refused(file, `its numbers are wrong: the error is ${error}`);
  return found.content;
}

function refused(file: string, reason: string): EnvironmentError {
  return new EnvironmentError(
    "result-refused",
    `cannot take the times of ${file}: ${reason}`,
    "open the page of `shardbench page` again, and save what it measures",
  );
}
