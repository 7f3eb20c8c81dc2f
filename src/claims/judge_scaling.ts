// Claims about scaling compare with a run on one GPU. Where one was timed beside the plan's, the efficiency decides them as
// speed is decided; without it they say how fast that one GPU would have to be, and what the pipeline and the balance of
// work leave of strong scaling.

import { assumedAmong } from "../plan/assumed.ts";
import type { Figure } from "../measure/figure.ts";
import { standingOf } from "../measure/standing.ts";
import { pipelineOf } from "../plan/pipeline.ts";
import type { Plan } from "../plan/plan.ts";
import { claimedBy, claimedSamples, type Case, type FoundScaling, ratioOf } from "./case.ts";
import { balanceLimit } from "./limits/balance.ts";
import { isBeyond, type ClaimLimit, weaknesses } from "./limits/limit.ts";
import { scheduleLimit } from "./limits/schedule.ts";
import { speedObstacles } from "./obstacles.ts";
import { claimTable, type ClaimDefinition } from "./table.ts";
import type { Need, Verdict } from "./verdict.ts";
import { number, percent, someOf } from "./words.ts";

export function judgeScaling(given: Case, claim: ClaimDefinition, value: number): Verdict {
  const { plan, scaling } = given;
  const found =
    claim.key === "strongScaling" || claim.key === "weakScaling" ? scaling?.[claim.key] : undefined;
  if (scaling !== undefined && found !== undefined) {
    return judgeFound(plan, claim, value, found, scaling);
  }
  const { gpus } = plan.hardware;
  const ofOne = gpus === 1;
  const beyond = ofOne || claim.key !== "strongScaling" ? [] : idleBeyond(given, value);
  const reasons = beyond.map((limit) => {
    const open = weaknesses(given, limit);
    return `${limit.name}: ${limit.because}; strong scaling is no more, where one GPU alone is as fast per FLOP${open.length === 0 ? "" : `, but that leans on ${someOf(open)}`}`;
  });
  return {
    ...claimedBy(claim, value),
    judgement: "untestable",
    reason: ofOne
      ? "with one GPU there is nothing to scale"
      : [
          `${claim.formula} needs T₁, measured with N = 1, and this run has N = ${gpus} only`,
          ...reasons,
        ].join("; "),
    provenance: "measured",
    leansOn: assumedAmong(plan, ["hardware.gpus"]),
    needs: ofOne ? [] : [baseline(given, claim, value), ...beyond.flatMap(({ needs }) => needs)],
  };
}

function judgeFound(
  plan: Plan,
  claim: ClaimDefinition,
  value: number,
  found: Figure,
  run: FoundScaling,
): Verdict {
  const base = claimedBy(claim, value);
  const common = {
    ...base,
    found,
    ...ratioOf(found, base.claimed),
    provenance: found.provenance,
    leansOn: assumedAmong(plan, ["model", "stages", "workload", "parallel", "hardware.gpus"]),
    needs: [],
  };
  if (found.provenance === "projected") {
    return {
      ...common,
      judgement: "projected",
      reason: "ranks that share an adapter were timed one by one, which decides nothing",
    };
  }
  const obstacles = [...unlikeGpus(run), ...speedObstacles(plan, run)];
  if (obstacles.length > 0) {
    return { ...common, judgement: "untestable", reason: obstacles.join("; ") };
  }
  const { interval } = found;
  if (interval === undefined) {
    return { ...common, judgement: "ambiguous", reason: "too few turns for an interval" };
  }
  const { is, because } = standingOf({ ...found, interval }, value, "at least");
  const words = { kept: "confirmed", broken: "refuted", open: "ambiguous" } as const;
  const reason = `${because} (${claim.formula})${onMicroBatches(plan, claim)}`;
  return { ...common, judgement: words[is], reason };
}

/** A reader may hold the pipeline against one GPU that takes the batch at once. */
function onMicroBatches(plan: Plan, { key }: ClaimDefinition): string {
  const { microBatches } = plan.workload;
  const stages = pipelineOf(plan)?.pipelineRanks.length ?? plan.stages.length;
  return key !== "strongScaling" || stages === 1 || microBatches === 1
    ? ""
    : `; T₁ is of the plan's ${microBatches} micro-batches, which one GPU alone would not need`;
}

/** T₁ of one GPU says nothing of what others would need. */
function unlikeGpus({ adapters }: FoundScaling): string[] {
  const names = [...new Set(adapters.map(({ name }) => name))];
  return names.length < 2
    ? []
    : [`T₁ is of ${names[0]} alone, and others are ${names.slice(1).join(" and ")}`];
}

/** T₁ ÷ (N · T_N) is the share of time that GPUs work, if one alone works as fast: limits of that which it passes. */
function idleBeyond(given: Case, value: number): ClaimLimit[] {
  const work = claimTable.find(({ key }) => key === "computeUtilization");
  if (work === undefined) throw new Error("the table of claims has no utilization");
  return [scheduleLimit, balanceLimit].flatMap((rule) => {
    const limit = rule(given, work, value);
    return limit !== undefined && isBeyond(given, work, value, limit) ? [limit] : [];
  });
}

/** Strong: T₁ = E · N · T_N for the same batch. Weak: T₁ = E · T_N for an N-th of it. Both are the same rate of one GPU. */
function baseline({ plan, measurements }: Case, { formula }: ClaimDefinition, value: number): Need {
  const { gpus } = plan.hardware;
  const samples = claimedSamples(plan) ?? measurements?.metrics.samplesPerSecond?.value;
  if (samples === undefined) {
    return {
      what: "T₁ ÷ T_N",
      relation: "exactly",
      value: formula.includes("N ·") ? value * gpus : value,
      unit: "",
      because: `${formula} = ${percent(value)} with N = ${gpus}`,
    };
  }
  return {
    what: "samples/s of one GPU alone",
    relation: "at most",
    value: samples / (gpus * value),
    unit: "samples/s",
    because: `${number(samples)} samples/s of ${gpus} GPUs ÷ (${gpus} × ${percent(value)})`,
  };
}
