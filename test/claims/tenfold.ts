// A plan's claimed speeds, each alone and ten times as fast.

import type { Claims, Plan } from "../../src/plan/plan.ts";

export interface Tenfold {
  readonly key: keyof Claims;
  /** Claims nothing else. */
  readonly alone: Plan;
  /** With the plan's other claims, which may contradict it. */
  readonly together: Plan;
}

const speeds = ["samplesPerSecond", "tokensPerSecond", "latencyPerLayerMs"] as const;

export function tenfoldOf(plan: Plan): readonly Tenfold[] {
  return speeds.flatMap((key) => {
    const value = plan.claims[key];
    if (value === undefined) return [];
    const tenfold = { [key]: key === "latencyPerLayerMs" ? value / 10 : 10 * value };
    return [
      {
        key,
        alone: { ...plan, claims: tenfold },
        together: { ...plan, claims: { ...plan.claims, ...tenfold } },
      },
    ];
  });
}
