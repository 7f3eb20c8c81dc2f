// When requests had their tokens, and the figures of it as `vllm bench serve` defines them.

import type { Figure, Unit } from "./figure.ts";
import { byRun, type Conditions, exact, figureOf } from "./figures.ts";
import { mean, median, percentile } from "./statistics.ts";

/** All requests of a plan, served once. Times are ms of the wall of steps; what lies between two steps has none. */
export interface ServedPass {
  /** Which opening of the ranks it was taken in, from 0. */
  readonly run: number;
  /** By request. */
  readonly arrivalMs: readonly number[];
  /** By request, when it had each of its tokens. */
  readonly tokenMs: readonly (readonly number[])[];
  readonly prefillSteps: number;
  readonly decodeSteps: number;
  /** Until the last token. */
  readonly wallMs: number;
  /** The most pages of the caches that were in use, and how many there are. */
  readonly pagesUsed: number;
  readonly pages: number;
}

/** Over requests, or over all gaps between tokens. */
export interface LatencyFigures {
  readonly mean: Figure;
  readonly median: Figure;
  /** Present where samples suffice. */
  readonly p99?: Figure;
}

export interface ServingMetrics {
  /** Time to the first token: from a request's arrival. */
  readonly ttftMs: LatencyFigures;
  /** Time per output token of a request after its first: (last token - first token) ÷ (tokens - 1). */
  readonly tpotMs: LatencyFigures;
  /** Inter-token latency: each gap between two tokens of a request. */
  readonly itlMs: LatencyFigures;
  readonly requestsPerSecond: Figure;
  readonly outputTokensPerSecond: Figure;
  /** Input and output tokens. */
  readonly totalTokensPerSecond: Figure;
  readonly tokensPerSecondPerGpu: Figure;
  /** 1 ÷ mean TPOT. */
  readonly tokensPerSecondPerUser: Figure;
  /** Of all GPUs. */
  readonly kvCacheBytes: Figure;
  /** Largest share of the pages that was in use. */
  readonly kvCacheUsed: Figure;
}

export interface ServedPlan {
  readonly gpus: number;
  readonly inputTokens: number;
  readonly kvCacheBytes: number;
}

/** Undefined where nothing was served. */
export function servingMetrics(
  passes: readonly ServedPass[],
  { gpus, inputTokens, kvCacheBytes }: ServedPlan,
  conditions: Conditions,
): ServingMetrics | undefined {
  if (passes.length === 0) return undefined;
  const figure = (of: (pass: ServedPass) => number | undefined, unit: Unit): Figure => {
    const found = figureOf(byRun(passes, of), unit, conditions);
    if (found === undefined) throw new Error("a pass without requests");
    return found;
  };
  const latency = (of: (pass: ServedPass) => readonly number[]): LatencyFigures => {
    const isEnough = passes.every((pass) => percentile(of(pass), 99) !== undefined);
    return {
      mean: figure((pass) => mean(of(pass)), "ms"),
      median: figure((pass) => median(of(pass)), "ms"),
      ...(isEnough ? { p99: figure((pass) => percentile(of(pass), 99), "ms") } : {}),
    };
  };
  const perSecond = (count: number, { wallMs }: ServedPass): number => (1000 * count) / wallMs;
  return {
    ttftMs: latency(firstTokens),
    tpotMs: latency(perToken),
    itlMs: latency(gaps),
    requestsPerSecond: figure((pass) => perSecond(pass.tokenMs.length, pass), "requests/s"),
    outputTokensPerSecond: figure((pass) => perSecond(outputsOf(pass), pass), "tokens/s"),
    totalTokensPerSecond: figure(
      (pass) => perSecond(outputsOf(pass) + inputTokens * pass.tokenMs.length, pass),
      "tokens/s",
    ),
    tokensPerSecondPerGpu: figure((pass) => perSecond(outputsOf(pass), pass) / gpus, "tokens/s"),
    tokensPerSecondPerUser: figure((pass) => 1000 / mean(perToken(pass)), "tokens/s"),
    kvCacheBytes: exact(kvCacheBytes, "B"),
    kvCacheUsed: exact(
      Math.max(...passes.map(({ pagesUsed, pages }) => pagesUsed / pages)),
      "share",
    ),
  };
}

function outputsOf({ tokenMs }: ServedPass): number {
  return tokenMs.reduce((sum, tokens) => sum + tokens.length, 0);
}

function firstTokens({ tokenMs, arrivalMs }: ServedPass): number[] {
  return tokenMs.map(([first = Number.NaN], request) => first - (arrivalMs[request] ?? 0));
}

function perToken({ tokenMs }: ServedPass): number[] {
  return tokenMs.map(
    (tokens) => ((tokens.at(-1) ?? Number.NaN) - (tokens[0] ?? 0)) / (tokens.length - 1),
  );
}

function gaps({ tokenMs }: ServedPass): number[] {
  return tokenMs.flatMap((tokens) => tokens.slice(1).map((at, i) => at - (tokens[i] ?? 0)));
}
