// Published throughput and utilization follow from one another with the FLOPs that a plan's program counts.
//
// Publishers count causal attention whole or by half; the program counts what a causal kernel must do, half.
// Each published share agrees with one of the two.

import { expect, test } from "vitest";
import { readCorpus } from "./corpus.ts";
import { claimedTokens, flopsPerToken } from "./flops_per_token.ts";

/** Of figures with two digits, such as the 33 % that were 33.7 %. */
const rounding = 0.025;

const cases = (await readCorpus()).flatMap(({ name, plan }) => {
  const claimed = plan.claims.computeUtilization;
  const rate = claimedTokens(plan);
  const { gpus, peakFlops } = plan.hardware;
  return claimed === undefined || rate === undefined || peakFlops === undefined
    ? []
    : [{ name, plan, claimed, shareOfOneFlop: rate / (gpus * peakFlops) }];
});

test.each(cases)("$name: the share of peak follows from the rate", (given) => {
  const { half, whole } = flopsPerToken(given.plan);
  const errors = [half, whole].map((flops) =>
    Math.abs((flops * given.shareOfOneFlop) / given.claimed - 1),
  );
  expect(Math.min(...errors)).toBeLessThan(rounding);
});

test("rates and shares come from many publishers", () => {
  expect(cases.length).toBeGreaterThanOrEqual(18);
});
