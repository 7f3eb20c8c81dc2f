// Costs of a plan with all its ranks, layers and blocks, one after another: what counting a part of them must come to.

import { lowering } from "../../src/program/lower.ts";
import { createMemoryModel, type MemoryNeed } from "../../src/program/memory.ts";
import { replicasOf } from "../../src/program/replicas.ts";
import { layerNames } from "../../src/program/plan_ops.ts";
import { createStream } from "../../src/program/stream.ts";
import { createTally, type Totals } from "../../src/program/tally.ts";
import { createWireCount } from "../../src/program/wire.ts";
import type { PlanEstimate } from "../../src/program/estimate.ts";
import type { Plan } from "../../src/plan/plan.ts";

export interface Whole extends Totals {
  readonly memory: readonly MemoryNeed[];
}

export function countWhole(plan: Plan): Whole {
  const { gpus } = plan.hardware;
  const tally = createTally(gpus, layerNames(plan), createWireCount());
  const elements = Array.from({ length: gpus }, () => ({ expertElements: 0, otherElements: 0 }));
  const retained = new Float64Array(gpus);
  const stream = createStream(gpus, plan.workload.dtype, {
    allocate(rank, role, bytes, shape) {
      tally.allocate(rank, role, bytes, shape);
      const own = elements[rank];
      if (role !== "weight" || own === undefined) return;
      own[shape.length === 3 ? "expertElements" : "otherElements"] += shape.reduce((a, b) => a * b);
    },
    retain(rank, bytes) {
      retained[rank] = (retained[rank] ?? 0) + bytes;
    },
    add: (rank, instruction) => tally.add(rank, instruction),
  });
  const { slots, emit } = lowering(plan, stream, 1);
  for (const slot of slots) emit(slot);
  stream.end();
  const totals = tally.totals(plan.workload.microBatches);
  const memoryOf = createMemoryModel(plan, replicasOf(plan));
  return {
    ...totals,
    memory: totals.ranks.map(({ rank, memoryByRole }) => {
      const own = elements[rank] ?? { expertElements: 0, otherElements: 0 };
      return memoryOf(rank, { byRole: memoryByRole, retainedBytes: retained[rank] ?? 0, ...own });
    }),
  };
}

/** Sums in another order differ in their last digits. */
export function rounded(value: unknown): unknown {
  if (typeof value === "number") return Number(value.toPrecision(10));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner)]));
}

/** Of an estimate, what `countWhole` counts too. */
export function comparable(counted: PlanEstimate, whole: Whole): unknown {
  return Object.fromEntries(Object.entries(counted).filter(([key]) => key in whole));
}
