// Claims on memory: held against what the plan needs on its fullest GPU, from the program's own buffers and the KV
// cache of its batch. What no run here holds (training state, what an import left out) confirms
// nothing.

import { assumedAmong } from "../plan/assumed.ts";
import { isPrinted } from "../plan/hardware.ts";
import { notesThatBear } from "../plan/import/note_bearing.ts";
import { mixedPrecision } from "../plan/optimizations.ts";
import { valueBytes } from "../program/key_value_cache.ts";
import { fullestNeed, type MemoryNeed } from "../program/memory.ts";
import { judgeCache } from "./judge_cache.ts";
import { claimedBy, fromPlan, ratioOf, type Case } from "./case.ts";
import { memoryAssumptions, memoryObstacles } from "./obstacles.ts";
import { DATASHEET_TOLERANCE, MEMORY_TOLERANCE, type ClaimDefinition } from "./table.ts";
import type { Judgement, Need, Verdict } from "./verdict.ts";
import { percent, quantity } from "./words.ts";

export function judgeMemory(given: Case, claim: ClaimDefinition, value: number): Verdict {
  const { plan } = given;
  if (claim.key === "kvCacheBytes") return judgeCache(given, claim, value);
  const capacity = plan.hardware.memoryPerGpu;
  const leansOn = memoryAssumptions(plan);
  const base = {
    ...claimedBy(claim, value),
    provenance: "estimated",
    leansOn,
  } as const;
  if (capacity === undefined) {
    return {
      ...base,
      judgement: "untestable",
      reason: "the plan does not say how much memory a GPU has (hardware.memoryPerGpu)",
      needs: [],
    };
  }
  const fullest = fullestNeed(given.estimate.memory);
  const isShare = claim.key === "memoryUtilization";
  const conditions = leansOn.length === 0 ? [] : [`assumed: ${leansOn.join(", ")}`];
  const found = isShare
    ? fromPlan(fullest.total / capacity, "share", conditions)
    : fromPlan(capacity - fullest.total, "B", conditions);
  const claimedBytes = isShare ? value * capacity : capacity - value;
  const { judgement, reason } = decide(given, claim, fullest, claimedBytes, capacity);
  const isOpen = judgement === "untestable" || judgement === "ambiguous";
  return {
    ...base,
    found,
    ...ratioOf(found, base.claimed),
    judgement,
    reason,
    needs: isOpen && claimedBytes > 0 ? parametersFor(given, claimedBytes) : [],
  };
}

interface Decision {
  readonly judgement: Judgement;
  readonly reason: string;
}

function decide(
  given: Case,
  claim: ClaimDefinition,
  { rank, total, least, keyValueCache }: MemoryNeed,
  claimedBytes: number,
  capacity: number,
): Decision {
  const { plan } = given;
  const obstacles = memoryObstacles(plan);
  const parts = `GPU ${rank}, the fullest, needs ${quantity(total, "B")} of ${quantity(capacity, "B")}${keyValueCache === 0 ? "" : `, KV cache of ${quantity(keyValueCache, "B")} included`}`;
  const slack = isPrinted(plan.hardware, "memoryPerGpu") ? DATASHEET_TOLERANCE : MEMORY_TOLERANCE;
  const isLeaning =
    memoryAssumptions(plan).length > 0 ||
    notesThatBear(plan, "memory").length > 0 ||
    mixedPrecision(plan).length > 0;
  const isWithin =
    claim.promise === "at least"
      ? capacity - least >= (capacity - claimedBytes) * (1 - claim.tolerance)
      : least - claimedBytes <= claim.tolerance * claimedBytes;
  if (!isLeaning && !isWithin && claimedBytes < least * (1 - slack)) {
    return {
      judgement: "refuted",
      reason: `every run of the plan holds at least ${quantity(least, "B")} on GPU ${rank}, for weights${
        plan.workload.mode !== "training"
          ? " and KV cache"
          : `, gradients${plan.workload.optimizer === undefined ? "" : ", the optimizer's state"} and activations`
      }; the claim leaves room for ${quantity(Math.max(0, claimedBytes), "B")}`,
    };
  }
  if (obstacles.length > 0) {
    return { judgement: "untestable", reason: `${parts}; ${obstacles.join("; ")}` };
  }
  const tolerance = percent(claim.tolerance);
  if (claim.promise === "at least") {
    const kept = capacity - total >= (capacity - claimedBytes) * (1 - claim.tolerance);
    if (kept) return { judgement: "confirmed", reason: `${parts}, tolerance ${tolerance}` };
    return {
      judgement: "ambiguous",
      reason: `${parts} as run here; any run needs at least ${quantity(least, "B")}, tolerance ${tolerance}`,
    };
  }
  if (Math.abs(total - claimedBytes) <= claim.tolerance * claimedBytes) {
    return { judgement: "confirmed", reason: `${parts}, tolerance ${tolerance}` };
  }
  if (claimedBytes > total && plan.workload.mode !== "training") {
    return {
      judgement: "untestable",
      reason: `${parts}; an engine may reserve more than the plan needs, for a larger cache for instance`,
    };
  }
  return {
    judgement: "ambiguous",
    reason: `${parts} as run here, and any run at least ${quantity(least, "B")}: the claim lies between, tolerance ${tolerance}`,
  };
}

/** So many parameters the claimed bytes can be at most. */
function parametersFor({ plan }: Case, bytes: number): Need[] {
  const gpus = plan.hardware.gpus;
  const each = valueBytes(plan);
  const inference: Need = {
    what: "parameters on a GPU, in inference",
    relation: "at most",
    value: Math.floor(bytes / each),
    unit: "parameters",
    because: `${quantity(bytes, "B")} ÷ ${each} bytes of ${plan.workload.dtype} weights; over ${gpus} GPUs ${gpus} times as many`,
  };
  const training: Need = {
    what: "parameters on a GPU, in training with Adam in mixed precision",
    relation: "at most",
    value: Math.floor(bytes / 16),
    unit: "parameters",
    because: `${quantity(bytes, "B")} ÷ 16 bytes (÷ 18 with gradients in f32), more where ZeRO shards them`,
  };
  const isAssumed = assumedAmong(plan, ["workload.mode"]).length > 0;
  if (isAssumed) return [inference, training];
  return [plan.workload.mode === "training" ? training : inference];
}
