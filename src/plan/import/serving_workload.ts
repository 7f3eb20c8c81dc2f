// Keys of serving in a plan, from what servers and clients say of it, once it is known how long requests are.

import type { Diagnostic } from "../diagnostic.ts";
import type { ServingFile } from "../serving.ts";
import { type ImportedServing, type ImportedWorkload, importNote } from "./note.ts";

/** Of requests, where the sources do not say it. */
export interface RequestLengths {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

export interface ServingWorkload {
  readonly keys: ServingFile;
  readonly diagnostics: readonly Diagnostic[];
}

/** As vLLM has it where nothing is said. */
const usualBatchedTokens = 2048;

/** Undefined where no source is a server, or nothing says how long requests are. */
export function servingWorkload(
  { serving, maxSequence, mode = "inference" }: ImportedWorkload,
  lengths: RequestLengths,
): ServingWorkload | undefined {
  if (serving === undefined || mode !== "inference") return undefined;
  const { inputTokens, outputTokens } = { ...serving, ...lengths };
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const { requests, requestsPerSecond, maxBatchedTokens, pageTokens, cacheDtype } = serving;
  const prefillChunk = chunkOf(serving, inputTokens);
  const scheduler = {
    ...(maxBatchedTokens === undefined ? {} : { maxBatchedTokens }),
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
  };
  return {
    keys: {
      ...(requests === undefined ? {} : { requests }),
      inputTokens,
      // A plan's requests have a token that is decoded.
      outputTokens: Math.max(2, outputTokens),
      ...(cacheDtype === undefined ? {} : { cacheDtype }),
      ...(pageTokens === undefined ? {} : { pageTokens }),
      ...(prefillChunk === undefined ? {} : { prefillChunk }),
      ...(Object.keys(scheduler).length === 0 ? {} : { scheduler }),
    },
    diagnostics: lengthFaults(inputTokens, outputTokens, maxSequence),
  };
}

/** Tokens of a prompt that a step takes; undefined where that is all of them. */
function chunkOf(
  { chunks, chunkTokens, maxBatchedTokens }: ImportedServing,
  inputTokens: number,
): number | undefined {
  if (chunks === false) return undefined;
  const most = chunkTokens ?? maxBatchedTokens ?? (chunks === true ? usualBatchedTokens : Infinity);
  return most < inputTokens ? most : undefined;
}

function lengthFaults(
  inputTokens: number,
  outputTokens: number,
  maxSequence: number | undefined,
): Diagnostic[] {
  const whole = inputTokens + outputTokens;
  const faults: Diagnostic[] = [];
  if (maxSequence !== undefined && whole > maxSequence) {
    const message = `requests of ${inputTokens} and ${outputTokens} tokens are longer than the ${maxSequence} that a sequence may have`;
    const hint = "choose shorter requests, or raise the limit of the server";
    faults.push(importNote("error", "requests-exceed-limit", message, {}, hint));
  }
  if (outputTokens < 2) {
    const message = "the plan decodes a token, too: output tokens are 2 and not 1";
    faults.push(importNote("info", "output-of-two-tokens", message));
  }
  return faults;
}
