// Strong and weak scaling of a plan: N GPUs in turn with one. Where each rank has a device of its own that is measured;
// where ranks share one, each is timed alone, and their step projected.

import { isDeepStrictEqual } from "node:util";
import { judgeClaims } from "../claims/judge.ts";
import { EnvironmentError } from "../environment_error.ts";
import type { AdapterReport } from "../gpu/adapter.ts";
import { discoverAdapters } from "../gpu/discover.ts";
import { placeRanks } from "../gpu/placement.ts";
import { loadBetween } from "../measure/machine_load.ts";
import { scalingFigures, type ScalingTurn } from "../measure/scaling.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import { estimatePlan } from "../program/estimate.ts";
import { simulateRepeats } from "../program/simulate/simulate.ts";
import type { StepTrace } from "../program/trace.ts";
import { workHash } from "../result/plan_hash.ts";
import { type ScaledSize, type Scaling, scalingKind } from "../result/scaling.ts";
import { readVersions } from "../result/versions.ts";
import { readCpuTimes } from "./cpu_times.ts";
import { foundScaling } from "./found_scaling.ts";
import { checkTimed, type OpenChecked, openChecked } from "./open_checked.ts";
import { rankAdapters } from "./record.ts";
import type { RunOptions } from "./run_options.ts";
import { type ScalingSize, scalingSizes } from "./scaling_sizes.ts";

export interface ScalingOptions extends Pick<
  RunOptions,
  "adapter" | "placement" | "pin" | "link" | "onProgress" | "signal"
> {
  /** Also where each rank has a device of its own. */
  readonly project?: boolean;
  /** Of each size. Default: as many as `budgetMs` allows, at least 7. */
  readonly turns?: number;
  /** Of each size. Default 5,000. */
  readonly budgetMs?: number;
}

/** For an interval of the median of efficiencies. */
const least = 7;
const most = 50;
const defaultBudgetMs = 5000;
/** Steps of each rank alone in a turn that is projected; more of short ones. */
const leastAlone = 1;
const mostAlone = 5;

/**
 * All kernels take their usual variants.
 *
 * @param file as it was written, a sound plan
 * @param sizes numbers of GPUs; that of one is always timed
 * @throws EnvironmentError where the machine is in the way
 * @throws NumericsError where a size computes something else than its plan means
 */
export async function scaling(
  file: PlanFile,
  plan: Plan,
  sizes: readonly number[],
  options: ScalingOptions = {},
): Promise<Scaling> {
  refuseServing(plan);
  const { onProgress = () => undefined, pin } = options;
  onProgress({ phase: "adapters" });
  const { adapters, refused } = await discoverAdapters();
  const larger = [...new Set(sizes)].filter((gpus) => gpus > 1).toSorted((a, b) => a - b);
  const ranks = Math.max(plan.hardware.gpus, ...larger);
  const placed = placeRanks(ranks, adapters, { ...options, refused });
  const place = (gpus: number): AdapterReport[] => placed.slice(0, gpus);
  const timed: ScaledSize[] = [];
  const baseline = createBaseline(place(1), options);
  try {
    for (const size of scalingSizes(file, larger)) {
      timed.push(await timeSize(size, baseline, place(size.gpus), options));
    }
  } finally {
    await baseline.close();
  }
  const judged = rankAdapters(place(plan.hardware.gpus), pin);
  return {
    kind: scalingKind,
    version: 1,
    name: plan.name,
    work: workHash(plan),
    date: new Date().toISOString(),
    versions: readVersions(),
    adapters: rankAdapters(place(Math.max(1, ...larger)), pin),
    sizes: timed,
    verdicts: judgeClaims({
      plan,
      estimate: estimatePlan(plan),
      scaling: foundScaling(plan, timed, { ...options, adapters: judged }),
    }).filter(({ claim }) => claim === "strongScaling" || claim === "weakScaling"),
  };
}

function refuseServing({ workload, name }: Plan): void {
  if (workload.mode !== "serving") return;
  throw new EnvironmentError(
    "not-scaled",
    `${name} serves: how requests are spread over more GPUs, the plan does not say`,
    "scale its model in inference or training",
  );
}

/** One GPU, open as long as sizes in a row ask for the same of it. */
interface Baseline {
  of(alone: Plan): Promise<OpenChecked>;
  close(): Promise<void>;
}

function createBaseline(placement: readonly AdapterReport[], options: ScalingOptions): Baseline {
  let held: { readonly alone: Plan; readonly size: OpenChecked } | undefined;
  const close = async (): Promise<void> => {
    await held?.size.pool.close();
    held = undefined;
  };
  return {
    close,
    async of(alone) {
      if (held !== undefined && !isDeepStrictEqual(held.alone, alone)) await close();
      held ??= { alone, size: await openChecked(alone, placement, options) };
      return held.size;
    },
  };
}

async function timeSize(
  size: ScalingSize,
  baseline: Baseline,
  placement: readonly AdapterReport[],
  options: ScalingOptions,
): Promise<ScaledSize> {
  const { kind, gpus } = size;
  if ("why" in size) return { kind, gpus, state: "refused", why: size.why };
  const isProjected = options.project === true || !haveOwnDevices(placement, options);
  const alone = await baseline.of(size.alone);
  const together = await openChecked(size.plan, placement, options);
  try {
    const from = readCpuTimes();
    const turns = await takeTurns([alone, together], isProjected, options);
    const to = readCpuTimes();
    const load = from && to && loadBetween(from, to);
    if (!isProjected) for (const each of [alone, together]) await checkTimed(each, turns.length);
    const provenance = isProjected ? "projected" : "measured";
    const figures = scalingFigures(kind, gpus, turns, provenance, load);
    return figures === undefined
      ? { kind, gpus, state: "refused", why: "an adapter does not time kernels one by one" }
      : {
          kind,
          gpus,
          state: "timed",
          split: splitOf(size.plan),
          batch: size.plan.workload.batch,
          turns: turns.length,
          ...figures,
        };
  } finally {
    await together.pool.close();
  }
}

/** Software that is pinned computes on a core of its own. */
function haveOwnDevices(placement: readonly AdapterReport[], { pin }: ScalingOptions): boolean {
  return rankAdapters(placement, pin).every(
    ({ software, core, sharedWith }) => sharedWith.length === 0 || (software && core !== undefined),
  );
}

/** Fewer where an adapter does not time kernels one by one. */
async function takeTurns(
  [alone, together]: readonly [OpenChecked, OpenChecked],
  isProjected: boolean,
  { onProgress, turns: wanted, budgetMs = defaultBudgetMs }: ScalingOptions,
): Promise<ScalingTurn[]> {
  const take = isProjected ? projectedSteps : measuredSteps;
  onProgress?.({ phase: "warm-up" });
  for (const { pool } of [alone, together]) await pool.step();
  const turns: ScalingTurn[] = [];
  const begun = performance.now();
  while (turns.length < (wanted ?? most)) {
    const isOver = performance.now() - begun > budgetMs;
    if (wanted === undefined && turns.length >= least && isOver) break;
    onProgress?.({ phase: isProjected ? "project" : "measure", done: turns.length });
    const turn = { alone: await take(alone), together: await take(together) };
    if (turn.alone.length === 0 || turn.together.length === 0) return [];
    turns.push(turn);
  }
  return turns;
}

async function measuredSteps({ pool }: OpenChecked): Promise<StepTrace[]> {
  return [await pool.step()];
}

async function projectedSteps({ program, pool }: OpenChecked): Promise<StepTrace[]> {
  const measured = await pool.timeAlone(leastAlone, mostAlone);
  return measured === undefined ? [] : simulateRepeats(program, measured);
}

function splitOf({ degrees, stages }: Plan): string {
  if (degrees === undefined) return stages.length === 1 ? "1 stage" : `${stages.length} stages`;
  const { tensor, pipeline, data, expert } = degrees;
  const parts = Object.entries({ TP: tensor, PP: pipeline, DP: data, EP: expert });
  const split = parts
    .filter(([, degree]) => degree > 1)
    .map(([name, degree]) => `${name} ${degree}`);
  return split.join(" ");
}
