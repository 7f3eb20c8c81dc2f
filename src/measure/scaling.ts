// How efficient N GPUs are beside one, and what became of the rest: steps of both in turn.

import { breakDown } from "./breakdown.ts";
import type { Figure } from "./figure.ts";
import { figureOf } from "./figures.ts";
import type { MachineLoad } from "./machine_load.ts";
import { marginsOf } from "./margin.ts";
import { mean } from "./statistics.ts";
import type { StepTrace } from "../program/trace.ts";

export type ScalingKind = "strong" | "weak";

/** Steps of one turn: of one GPU alone, and of N. Several where a turn is projected from several steps. */
export interface ScalingTurn {
  readonly alone: readonly StepTrace[];
  readonly together: readonly StepTrace[];
}

/**
 * Shares of the time that N GPUs spend together, N · T_N, beyond what one spends on their work; with the efficiency they
 * sum to 1. Negative where N GPUs spend less on it together, as on products that fit their caches.
 */
export interface ScalingLoss {
  /** Kernels of the model: work that ranks repeat, and shapes or neighbors that make kernels slower. */
  readonly compute: number;
  /** Bytes that are read back, moved, added and uploaded while the rank does nothing else. */
  readonly communication: number;
  /** Waiting of ranks that have less to compute than the one with most. */
  readonly imbalance: number;
  /** All other waiting: for a pipeline to fill, for messages and for hosts. */
  readonly waiting: number;
  /** Giving the GPU its work, and what no span covers. */
  readonly host: number;
}

/** Of one turn, the step of one GPU and that of all. */
export interface TurnMs {
  readonly alone: number;
  readonly together: number;
}

export interface ScalingFigures {
  readonly turnMs: readonly TurnMs[];
  readonly aloneMs: Figure;
  readonly stepMs: Figure;
  /** Strong: T₁ ÷ (N · T_N). Weak: T₁ ÷ T_N. Turn by turn. */
  readonly efficiency: Figure;
  /** Of the turn with the median efficiency. */
  readonly loss: ScalingLoss;
}

/**
 * What others had of the CPUs slows N hosts more than one: turns do not cancel it.
 *
 * @param gpus N
 * @param during turns, what others had of the CPUs; absent where that is not known
 */
export function scalingFigures(
  kind: ScalingKind,
  gpus: number,
  turns: readonly ScalingTurn[],
  provenance: "measured" | "projected",
  during?: MachineLoad,
): ScalingFigures | undefined {
  const loads = during === undefined ? [] : [{ before: during, during }];
  // Peaks have no part in it, and cores that change their speed change it for both.
  const margins = marginsOf({ loads, peakChange: 0, isSoftware: false });
  const of = {
    provenance,
    conditions: ["in turn with the same on one GPU"],
    margins,
  } as const;
  const alone = turns.map((turn) => stepOf(turn.alone));
  const together = turns.map((turn) => stepOf(turn.together));
  /** Steps of one GPU that N GPUs do the work of in a step of theirs. */
  const works = kind === "strong" ? 1 : gpus;
  const ratios = together.map(
    ({ wallMs }, i) => (works * (alone[i]?.wallMs ?? NaN)) / (gpus * wallMs),
  );
  const aloneMs = figureOf([alone.map(({ wallMs }) => wallMs)], "ms", of);
  const stepMs = figureOf([together.map(({ wallMs }) => wallMs)], "ms", of);
  const efficiency = figureOf([ratios], "share", of);
  if (!aloneMs || !stepMs || !efficiency) return undefined;
  const at = medianAt(ratios);
  const [one, all] = [alone[at], together[at]];
  if (one === undefined || all === undefined) return undefined;
  const turnMs = together.map(({ wallMs }, i) => ({
    alone: alone[i]?.wallMs ?? NaN,
    together: wallMs,
  }));
  return { turnMs, aloneMs, stepMs, efficiency, loss: lossOf(one, all, works, gpus) };
}

/** Of several in the middle the first. */
function medianAt(values: readonly number[]): number {
  const order = [...values.keys()].toSorted((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  return order[(order.length - 1) >> 1] ?? 0;
}

/** ms of all ranks together, but for the wall time. */
interface Spent extends ScalingLoss {
  readonly wallMs: number;
}

function stepOf(traces: readonly StepTrace[]): Spent {
  const each = traces.map(spentOf);
  return { ...meanOf(each), wallMs: mean(each.map(({ wallMs }) => wallMs)) };
}

function spentOf({ ranks, wallMs }: StepTrace): Spent {
  const parts = ranks.map((rank) => breakDown(rank, wallMs));
  const most = Math.max(...parts.map(({ computeMs }) => computeMs));
  const total = (of: (part: (typeof parts)[number]) => number): number =>
    parts.reduce((sum, part) => sum + of(part), 0);
  const imbalance = total(({ idleMs, computeMs }) => Math.min(idleMs, most - computeMs));
  return {
    wallMs,
    compute: total(({ computeMs }) => computeMs),
    communication: total(
      ({ reduceMs, uploadMs, readbackMs, moveMs }) => reduceMs + uploadMs + readbackMs + moveMs,
    ),
    imbalance,
    waiting: total(({ idleMs }) => idleMs) - imbalance,
    host: total(({ hostMs, unattributedMs }) => hostMs + unattributedMs),
  };
}

function lossOf(alone: Spent, together: Spent, works: number, gpus: number): ScalingLoss {
  const share = (part: keyof ScalingLoss): number =>
    (together[part] - works * alone[part]) / (gpus * together.wallMs);
  return {
    compute: share("compute"),
    communication: share("communication"),
    imbalance: share("imbalance"),
    waiting: share("waiting"),
    host: share("host"),
  };
}

function meanOf(losses: readonly ScalingLoss[]): ScalingLoss {
  const of = (part: keyof ScalingLoss): number => mean(losses.map((loss) => loss[part]));
  return {
    compute: of("compute"),
    communication: of("communication"),
    imbalance: of("imbalance"),
    waiting: of("waiting"),
    host: of("host"),
  };
}
