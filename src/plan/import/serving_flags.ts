// What a server's flags say of serving, and what a client's say of requests, under whatever names a tool has for it.

import { shortDtype } from "../dtype_names.ts";
import type { CommandFlags } from "./command_flags.ts";
import type { ImportedServing } from "./note.ts";

/** Names of flags, the first that is given counts. */
export type ServingFlags = Readonly<
  Partial<
    Record<
      | "pageTokens"
      | "maxBatchedTokens"
      | "chunkTokens"
      | "chunks"
      | "wholePrompts"
      | "cacheDtype"
      | "inputTokens"
      | "outputTokens"
      | "requests"
      | "requestsPerSecond"
      | "concurrency",
      readonly string[]
    >
  >
>;

/**
 * To be called when all else was read and the rest was listed: what a plan that serves has words for, it lists in
 * `expressed`, so that this is not said of it.
 */
export function settingsOfServer(flags: CommandFlags, names: ServingFlags): ImportedServing {
  const expressed: string[] = ["batch-from-limit"];
  const given = (key: keyof ServingFlags): string | undefined =>
    names[key]?.find((flag) => flags.has(flag));
  const take = <Value>(
    key: keyof ServingFlags,
    read: (flag: string) => Value | undefined,
  ): Value | undefined => {
    const flag = given(key);
    const value = flag === undefined ? undefined : read(flag);
    if (flag !== undefined && value !== undefined) {
      expressed.push(`${flag.replace(/^-+/, "")}-not-expressible`);
    }
    return value;
  };
  const positive = (flag: string): number | undefined => {
    const value = flags.number(flag);
    return value !== undefined && Number.isInteger(value) && value > 0 ? value : undefined;
  };
  const pageTokens = take("pageTokens", positive);
  const maxBatchedTokens = take("maxBatchedTokens", positive);
  const chunkTokens = take("chunkTokens", positive);
  const isChunked = take("chunks", () => true);
  const isWhole = take("wholePrompts", () => true);
  // What the model is stored in needs no word; formats of fewer bits have none.
  const cache = take("cacheDtype", (flag) => cacheType(flags.text(flag)));
  return {
    ...(pageTokens === undefined ? {} : { pageTokens }),
    ...(maxBatchedTokens === undefined ? {} : { maxBatchedTokens }),
    ...(chunkTokens === undefined ? {} : { chunkTokens }),
    ...(isWhole === true ? { chunks: false } : isChunked === true ? { chunks: true } : {}),
    ...(cache === undefined || cache === "auto" ? {} : { cacheDtype: cache }),
    expressed,
  };
}

function cacheType(text: string | undefined): ImportedServing["cacheDtype"] | "auto" | undefined {
  if (text === "auto") return "auto";
  return text === undefined ? undefined : shortDtype(text);
}

/** To be called before the rest is listed. */
export function requestsOfClient(flags: CommandFlags, names: ServingFlags): ImportedServing {
  const count = (key: keyof ServingFlags): number | undefined =>
    names[key]?.map((flag) => flags.count(flag)).find((value) => value !== undefined);
  const rate = names.requestsPerSecond?.map((flag) => flags.text(flag)).find(Boolean);
  const perSecond = Number(rate);
  const found = {
    inputTokens: count("inputTokens"),
    outputTokens: count("outputTokens"),
    requests: count("requests"),
    concurrency: count("concurrency"),
    // All at once is "inf".
    requestsPerSecond: Number.isFinite(perSecond) && perSecond > 0 ? perSecond : undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** Of the tools' own benchmarks. */
export const benchFlags: ServingFlags = {
  inputTokens: [
    "--random-input-len",
    "--random-input",
    "--sonnet-input-len",
    "--input-len",
    "--input-length",
    "--synthetic-input-tokens-mean",
  ],
  outputTokens: [
    "--random-output-len",
    "--random-output",
    "--sonnet-output-len",
    "--output-len",
    "--output-length",
    "--output-tokens-mean",
  ],
  requests: ["--num-prompts", "--num-prompt", "--request-count"],
  requestsPerSecond: ["--request-rate"],
  concurrency: ["--max-concurrency", "--batch-size", "--concurrency"],
};
