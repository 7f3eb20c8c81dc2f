// Published throughput and utilization follow from one another with the FLOPs that a plan's program counts.
//
// Publishers count causal attention whole (12·L·h·s per token and training step) or by half; the program
// counts what a causal kernel must do, half. Each published share agrees with one of the two.

import { expect, test } from "vitest";
import type { Plan } from "../../src/plan/plan.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { unshard } from "../../src/program/unshard.ts";
import { readCorpus } from "./corpus.ts";

/** Of figures with two digits, such as the 33 % that were 33.7 %. */
const rounding = 0.025;

const tokensPerSecond = ({ claims, workload }: Plan): number | undefined =>
  claims.tokensPerSecond ??
  (claims.samplesPerSecond === undefined ? undefined : claims.samplesPerSecond * workload.sequence);

/** Per token of a forward pass: query · key and weights · value over what causal kernels leave out. */
const leftOut = ({ model, workload }: Plan): number => {
  if (model?.causal !== true) return 0;
  const { headDim, heads, latent, layers } = model;
  const width = latent === undefined ? 2 * headDim : headDim + latent.rotaryDim + latent.valueDim;
  return layers * heads * width * workload.sequence;
};

const cases = (await readCorpus()).flatMap(({ name, plan }) => {
  const claimed = plan.claims.computeUtilization;
  const rate = tokensPerSecond(plan);
  const { gpus, peakFlops } = plan.hardware;
  return claimed === undefined || rate === undefined || peakFlops === undefined
    ? []
    : [{ name, plan, claimed, shareOfOneFlop: rate / (gpus * peakFlops) }];
});

test.each(cases)("$name: the share of peak follows from the rate", (given) => {
  const { plan, claimed, shareOfOneFlop } = given;
  const { batch, mode, sequence } = plan.workload;
  const passes = mode === "training" ? 3 : 1;
  const forward = estimatePlan(unshard(plan)).modelFlops / (batch * sequence);
  const half = passes * forward * shareOfOneFlop;
  const whole = half + passes * leftOut(plan) * shareOfOneFlop;
  const errors = [half, whole].map((share) => Math.abs(share / claimed - 1));
  expect(Math.min(...errors)).toBeLessThan(rounding);
});

test("rates and shares come from many publishers", () => {
  expect(cases.length).toBeGreaterThanOrEqual(18);
});
