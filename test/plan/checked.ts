// Plans for the tests of rules: two sound ones, changed at one place, and what the check says of them.

import { checkPlan } from "../../src/check/check_plan.ts";
import type { Diagnostic } from "../../src/plan/diagnostic.ts";
import { parsePlan } from "../../src/plan/load.ts";

/** Two GPUs in a tensor group, MLPs and experts. */
export const degreesPlan = {
  name: "degrees",
  hardware: { gpus: 2 } as Record<string, unknown>,
  workload: { batch: 4 } as Record<string, unknown>,
  model: {
    layers: 2,
    hidden: 32,
    heads: 4,
    ffn: 64,
    moe: { experts: 6, topK: 2, dense: true },
  } as Record<string, unknown>,
  parallel: { tensor: 2, expert: 2 } as Record<string, unknown>,
};

/** Column-parallel on GPUs 0 and 1, row-parallel on 1 and 2, the mean on 2. */
export const stagesPlan = {
  name: "stages",
  hardware: { gpus: 3 } as Record<string, unknown>,
  workload: { batch: 8, microBatches: 4 } as Record<string, unknown>,
  stages: [
    { name: "a", layers: [linear(8, 12, { kind: "column", splitDim: 1, gpus: [0, 1] })] },
    { name: "b", layers: [linear(12, 8, { kind: "row", splitDim: 0, gpus: [1, 2] })] },
    {
      name: "c",
      layers: [{ op: "aggregate", over: "batch", parallel: { kind: "data", gpus: [2] } }],
    },
  ] as { name: string; layers: Record<string, unknown>[] }[],
  communications: [
    { name: "ab", op: "all-gather", from: [0, 1], to: [1, 2] },
    { name: "bc", op: "all-reduce", from: [1, 2], to: [2] },
  ] as Record<string, unknown>[],
};

export function linear(
  inputs: number,
  outputs: number,
  parallel: Record<string, unknown>,
): Record<string, unknown> {
  return { op: "linear", in: inputs, out: outputs, parallel };
}

type Changes<T> = { [K in keyof T]?: unknown } & Record<string, unknown>;

/** The plan of degrees with some of its keys replaced or, one level down, changed. */
export function withDegrees(changes: Changes<typeof degreesPlan>): unknown {
  return merged(degreesPlan, changes);
}

export function withStages(changes: Changes<typeof stagesPlan>): unknown {
  return merged(stagesPlan, changes);
}

/** Stages and communications, for plans that share nothing with the two above. */
export function stages(
  gpus: number,
  layersPerStage: readonly (readonly Record<string, unknown>[])[],
  communications: readonly Record<string, unknown>[] = [],
  workload: Record<string, unknown> = { batch: 4 },
): unknown {
  return {
    name: "stages",
    hardware: { gpus },
    workload,
    stages: layersPerStage.map((layers, i) => ({ name: `s${i}`, layers })),
    communications,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function merged(base: Record<string, unknown>, changes: Record<string, unknown>): unknown {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(changes)) {
    const before = result[key];
    result[key] = isRecord(before) && isRecord(value) ? { ...before, ...value } : value;
  }
  return result;
}

/** Everything that loading and checking say. */
export function checked(plan: unknown): Diagnostic[] {
  const { plan: loaded, document, diagnostics } = parsePlan(JSON.stringify(plan), "plan.json");
  return loaded === undefined ? [...diagnostics] : [...diagnostics, ...checkPlan(loaded, document)];
}

export function errorsOf(plan: unknown): string[] {
  return codes(plan, "error");
}
export function warningsOf(plan: unknown): string[] {
  return codes(plan, "warning");
}
export function infosOf(plan: unknown): string[] {
  return codes(plan, "info");
}

function codes(plan: unknown, severity: Diagnostic["severity"]): string[] {
  return checked(plan).flatMap((each) => (each.severity === severity ? [each.code] : []));
}

/** The first diagnostic of that code. */
export function found(plan: unknown, code: string): Diagnostic | undefined {
  return checked(plan).find((each) => each.code === code);
}
