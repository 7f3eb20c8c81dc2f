// Claims of plans that serve which must follow from each other: rates of requests and of tokens, and how many requests
// run at once. Every request has the plan's lengths.

import type { Plan } from "../../plan/plan.ts";
import { roundingOf } from "../rounding.ts";
import { BOUND_TOLERANCE, DATASHEET_TOLERANCE } from "../table.ts";
import { number } from "../words.ts";
import { type Relation, verdictOf } from "./relation.ts";

interface ClaimedRate {
  /** Requests per second. */
  readonly rate: number;
  readonly rounding: number;
  /** The claim that it is read from, in words. */
  readonly from: string;
}

function claimedRate({ claims, workload }: Plan): ClaimedRate | undefined {
  const { requestsPerSecond, samplesPerSecond, outputTokensPerSecond } = claims;
  const requests = requestsPerSecond ?? samplesPerSecond;
  if (requests !== undefined) {
    const from = `${number(requests)} claimed requests/s`;
    return { rate: requests, rounding: roundingOf(requests), from };
  }
  if (outputTokensPerSecond === undefined || workload.serving === undefined) return undefined;
  const { outputTokens } = workload.serving;
  return {
    rate: outputTokensPerSecond / outputTokens,
    rounding: roundingOf(outputTokensPerSecond),
    from: `${number(outputTokensPerSecond)} claimed output tokens/s ÷ ${outputTokens}`,
  };
}

function nearTo(promised: number, found: number): (tolerance: number) => boolean {
  return (tolerance) => Math.abs(found - promised) <= tolerance * promised;
}

/** Output tokens from requests. */
export const outputArithmetic: Relation = (given) => {
  const { claims, workload } = given.plan;
  const { outputTokensPerSecond: promised, requestsPerSecond, samplesPerSecond } = claims;
  const requests = requestsPerSecond ?? samplesPerSecond;
  const { serving } = workload;
  if (promised === undefined || requests === undefined || serving === undefined) return undefined;
  const follows = requests * serving.outputTokens;
  return verdictOf(given, {
    claim: "outputArithmetic",
    label: "requests/s × output tokens",
    promised,
    follows,
    unit: "tokens/s",
    formula: `${number(requests)} claimed requests/s × ${serving.outputTokens} output tokens = ${number(follows)} tokens/s`,
    tolerance: BOUND_TOLERANCE,
    rounding: roundingOf(promised) + roundingOf(requests),
    paths: ["workload.outputTokens"],
    needs: [],
  });
};

/** Output tokens of a GPU from those of all; some publish input and output tokens. */
export const perGpuArithmetic: Relation = (given) => {
  const { claims, hardware, workload } = given.plan;
  const { tokensPerSecondPerGpu: promised, outputTokensPerSecond: all } = claims;
  const { serving } = workload;
  if (promised === undefined || all === undefined || serving === undefined) return undefined;
  const { inputTokens, outputTokens } = serving;
  const follows = all / hardware.gpus;
  const total = (follows * (inputTokens + outputTokens)) / outputTokens;
  const isNear = nearTo(promised, follows);
  const isTotal = nearTo(promised, total);
  return verdictOf(given, {
    claim: "perGpuArithmetic",
    label: "output tokens/s ÷ GPUs",
    promised,
    follows,
    unit: "tokens/s",
    formula: `${number(all)} claimed output tokens/s ÷ ${number(hardware.gpus)} GPUs = ${number(follows)} tokens/s`,
    tolerance: BOUND_TOLERANCE,
    rounding: roundingOf(promised) + roundingOf(all),
    agreesWithin: (tolerance) => isNear(tolerance) || isTotal(tolerance),
    isByOtherDefinition: !isNear(BOUND_TOLERANCE),
    paths: ["hardware.gpus"],
    needs: [],
  });
};

/** Input and output tokens from requests; some publish output tokens alone. */
export const totalArithmetic: Relation = (given) => {
  const promised = given.plan.claims.tokensPerSecond;
  const { serving } = given.plan.workload;
  const requests = claimedRate(given.plan);
  if (promised === undefined || requests === undefined || serving === undefined) return undefined;
  const { inputTokens, outputTokens } = serving;
  const follows = requests.rate * (inputTokens + outputTokens);
  const isNear = nearTo(promised, follows);
  const isOutput = nearTo(promised, requests.rate * outputTokens);
  return verdictOf(given, {
    claim: "totalArithmetic",
    label: "requests/s × all tokens",
    promised,
    follows,
    unit: "tokens/s",
    formula: `${requests.from} × ${inputTokens + outputTokens} input and output tokens = ${number(follows)} tokens/s`,
    tolerance: BOUND_TOLERANCE,
    rounding: roundingOf(promised) + requests.rounding,
    agreesWithin: (tolerance) => isNear(tolerance) || isOutput(tolerance),
    isByOtherDefinition: !isNear(BOUND_TOLERANCE),
    paths: ["workload.inputTokens", "workload.outputTokens"],
    needs: [],
  });
};

/** Little's law: requests that are decoded at once are no more than run at once. Medians are published for means. */
export const inFlightArithmetic: Relation = (given) => {
  const { claims, workload } = given.plan;
  const requests = claimedRate(given.plan);
  const { serving, batch } = workload;
  if (claims.tpotMs === undefined || requests === undefined || serving === undefined)
    return undefined;
  const tokens = serving.outputTokens - 1;
  const follows = (requests.rate * tokens * claims.tpotMs) / 1000;
  return verdictOf(given, {
    claim: "inFlightArithmetic",
    label: "requests in flight ≤ batch",
    promised: batch,
    follows,
    unit: "ratio",
    formula: `${requests.from} × ${tokens} tokens after the first × ${number(claims.tpotMs)} ms are ${number(follows)} requests at once, of ${number(batch)} that run at once`,
    tolerance: DATASHEET_TOLERANCE,
    rounding: 0,
    agreesWithin: (tolerance) => follows <= batch * (1 + tolerance),
    paths: ["workload.batch", "workload.outputTokens"],
    needs: [
      {
        what: "workload.batch",
        relation: "at least",
        value: Math.ceil(follows - 1e-9),
        unit: "requests",
        because: `${requests.from} × ${tokens} × ${number(claims.tpotMs)} ms`,
      },
    ],
  });
};
