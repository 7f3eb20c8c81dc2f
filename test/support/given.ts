// Plans of `configs` and made-up runs of them.

import type { Figure, Unit } from "../../src/measure/figure.ts";
import type { Metrics } from "../../src/measure/metrics.ts";
import { readPlan } from "../../src/plan/load.ts";
import type { Claims, Plan } from "../../src/plan/plan.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import type { Measurements } from "../../src/claims/case.ts";
import { judgeClaims } from "../../src/claims/judge.ts";
import type { RankAdapter } from "../../src/result/result.ts";
import type { Verdict } from "../../src/claims/verdict.ts";

export async function planOf(file: string): Promise<Plan> {
  const { plan } = await readPlan(`configs/${file}`);
  if (plan === undefined) throw new Error(`${file} must load`);
  return plan;
}

export function claiming(plan: Plan, claims: Claims): Plan {
  return { ...plan, claims };
}

export function adapter(rank: number, more: Partial<RankAdapter> = {}): RankAdapter {
  return {
    rank,
    id: `gpu${rank}`,
    name: "Some GPU",
    software: false,
    loader: "system",
    vendor: "some",
    architecture: "",
    device: "Some GPU",
    driver: "1.0",
    features: [],
    sharedWith: [],
    ...more,
  };
}

export const exclusive = [0, 1, 2].map((rank) => adapter(rank));
export function softwareOf(ranks: number): RankAdapter[] {
  return Array.from({ length: ranks }, (_, rank) =>
    adapter(rank, {
      id: "swiftshader",
      device: "SwiftShader Device (Subzero)",
      software: true,
      loader: "embedded",
      sharedWith: Array.from({ length: ranks }, (__, other) => other).filter(
        (other) => other !== rank,
      ),
    }),
  );
}
export const software = softwareOf(3);

export function measured(value: number, unit: Unit, interval?: readonly [number, number]): Figure {
  return {
    value,
    unit,
    samples: interval === undefined ? 2 : 20,
    ...(interval === undefined ? {} : { interval }),
    provenance: "measured",
    conditions: [],
  };
}

export function metricsWith(more: Partial<Metrics> = {}): Metrics {
  return {
    layers: [],
    communication: [],
    ranks: [],
    host: [],
    kernels: [],
    overBound: [],
    percentiles: {},
    outliers: 0,
    experts: [],
    ...more,
  };
}

/** The verdict on the one claim. */
export function verdictOn(
  plan: Plan,
  claim: string,
  measurements?: Measurements,
): Verdict | undefined {
  return judgeClaims({
    plan,
    estimate: estimatePlan(plan),
    ...(measurements === undefined ? {} : { measurements }),
  }).find((each) => each.claim === claim);
}
