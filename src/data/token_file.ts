// A file of token ids as samples: the file is mapped, and only the pages that a batch touches are read.

import { statSync } from "node:fs";
import { EnvironmentError } from "../environment_error.ts";
import type { TokenType } from "../plan/data_set.ts";
import { createFileWindows, type FileWindows } from "../weights/file_windows.ts";

export interface TokenFile {
  readonly path: string;
  readonly dtype: TokenType;
}

export interface Samples {
  readonly count: number;
  /** The sample's tokens and the one after them, which is the label of the last. */
  read(index: number): Uint16Array | Uint32Array;
}

const widths: Readonly<Record<TokenType, number>> = { uint16: 2, uint32: 4 };

/**
 * Sample i begins at token i · sequence: none shares a token with another but for its last label.
 *
 * @throws EnvironmentError `data-refused` where the file is none, is too short for one sample, or looks to be of wider ids
 */
export function openSamples({ path, dtype }: TokenFile, sequence: number): Samples {
  const width = widths[dtype];
  const bytes = sizeOf(path);
  if (bytes % width !== 0) {
    throw refusal(`${path} has ${bytes} bytes, which is no multiple of ${width}`, dtype);
  }
  const tokens = bytes / width;
  const count = Math.floor((tokens - 1) / sequence);
  if (count < 1) {
    throw refusal(`${path} has ${tokens} tokens, and one sample takes ${sequence + 1}`, dtype);
  }
  const windows = createFileWindows(path, bytes);
  if (dtype === "uint16") refuseWide(path, windows, Math.min(tokens, mostLookedAt));
  return {
    count,
    read(index) {
      const start = index * sequence * width;
      const { memory, offset } = windows.span(start, (sequence + 1) * width);
      return dtype === "uint16"
        ? new Uint16Array(memory, start - offset, sequence + 1)
        : new Uint32Array(memory, start - offset, sequence + 1);
    },
  };
}

const mostLookedAt = 4096;
/** Of fewer tokens nothing is said. */
const fewestLookedAt = 32;

/** Ids of four bytes below 65,536 would pass for ids of two, every second of them 0. */
function refuseWide(path: string, windows: FileWindows, tokens: number): void {
  if (tokens < fewestLookedAt) return;
  const { memory } = windows.span(0, tokens * widths.uint16);
  const found = new Uint16Array(memory, 0, tokens);
  const isWide = found.every((id, at) => at % 2 === 0 || id === 0) && found.some((id) => id !== 0);
  if (isWide) {
    throw refusal(`every second id of ${path} is 0, as in a file of uint32 token ids`, "uint16");
  }
}

function sizeOf(path: string): number {
  try {
    const found = statSync(path);
    if (found.isFile()) return found.size;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EnvironmentError("data-refused", why, hint);
  }
  throw new EnvironmentError("data-refused", `${path} is no file`, hint);
}

function refusal(message: string, dtype: TokenType): EnvironmentError {
  return new EnvironmentError(
    "data-refused",
    message,
    `workload.data.path has to name a file of ${dtype} token ids without a header; workload.data.dtype says which`,
  );
}

const hint = "make one with `shardbench data`, or leave workload.data.path out";
