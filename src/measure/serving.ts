// When requests had their tokens, and the figures of it as `vllm bench serve` defines them.

import type { Figure, Unit } from "./figure.ts";
import { byRun, type Conditions, exact, figureOf } from "./figures.ts";
import { mean, median, percentile } from "./statistics.ts";

/** All requests of a plan, served once. Times are ms of the wall of steps; what lies between two steps has none. */
export interface ServedRound {
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
  rounds: readonly ServedRound[],
  { gpus, inputTokens, kvCacheBytes }: ServedPlan,
  conditions: Conditions,
): ServingMetrics | undefined {
  if (rounds.length === 0) return undefined;
  const figure = (of: (round: ServedRound) => number | undefined, unit: Unit): Figure => {
    const found = figureOf(byRun(rounds, of), unit, conditions);
    if (found === undefined) throw new Error("a round without requests");
    return found;
  };
  const latency = (of: (round: ServedRound) => readonly number[]): LatencyFigures => {
    const isEnough = rounds.every((round) => percentile(of(round), 99) !== undefined);
    return {
      mean: figure((round) => mean(of(round)), "ms"),
      median: figure((round) => median(of(round)), "ms"),
      ...(isEnough ? { p99: figure((round) => percentile(of(round), 99), "ms") } : {}),
    };
  };
  const perSecond = (count: number, { wallMs }: ServedRound): number => (1000 * count) / wallMs;
  return {
    ttftMs: latency(firstTokens),
    tpotMs: latency(perToken),
    itlMs: latency(gaps),
    requestsPerSecond: figure((round) => perSecond(round.tokenMs.length, round), "requests/s"),
    outputTokensPerSecond: figure((round) => perSecond(outputsOf(round), round), "tokens/s"),
    totalTokensPerSecond: figure(
      (round) => perSecond(outputsOf(round) + inputTokens * round.tokenMs.length, round),
      "tokens/s",
    ),
    tokensPerSecondPerGpu: figure((round) => perSecond(outputsOf(round), round) / gpus, "tokens/s"),
    tokensPerSecondPerUser: figure((round) => 1000 / mean(perToken(round)), "tokens/s"),
    kvCacheBytes: exact(kvCacheBytes, "B"),
    kvCacheUsed: exact(
      Math.max(...rounds.map(({ pagesUsed, pages }) => pagesUsed / pages)),
      "share",
    ),
  };
}

function outputsOf({ tokenMs }: ServedRound): number {
  return tokenMs.reduce((sum, tokens) => sum + tokens.length, 0);
}

function firstTokens({ tokenMs, arrivalMs }: ServedRound): number[] {
  return tokenMs.map(([first = Number.NaN], request) => first - (arrivalMs[request] ?? 0));
}

function perToken({ tokenMs }: ServedRound): number[] {
  return tokenMs.map(
    (tokens) => ((tokens.at(-1) ?? Number.NaN) - (tokens[0] ?? 0)) / (tokens.length - 1),
  );
}

function gaps({ tokenMs }: ServedRound): number[] {
  return tokenMs.flatMap((tokens) => tokens.slice(1).map((at, i) => at - (tokens[i] ?? 0)));
}
