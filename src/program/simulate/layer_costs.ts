// What each layer takes by figures of the hardware, read off a lowered plan: the parts from which steps of other
// schedules, stages and micro-batches of the same shards are put together.

import { listen } from "../listen.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Peaks } from "../bound.ts";
import { hopsOf } from "../exchange/hops.ts";
import { modelFlopsOf } from "../instruction_cost.ts";
import { layerName } from "../plan_ops.ts";
import { collectiveOf, isBesides, type Instruction } from "../program.ts";
import { type Repeats, shorten } from "../repeats.ts";
import { volumeOf } from "../tensor.ts";
import { createHardwareCost, type Overheads } from "./hardware_cost.ts";

/** Of one pass of one micro-batch on one rank, in ms. */
export interface PassTime {
  readonly kernelMs: number;
  readonly wireMs: number;
  /** Of `wireMs`, what goes on beside kernels. */
  readonly besideMs: number;
}

export interface LayerCost {
  /** Of the rank that takes longest. */
  readonly forward: PassTime;
  readonly backward: PassTime;
  /** Kernels of one update, without what replicas exchange. */
  readonly updateMs: number;
  /** FLOPs that the model asks for in one micro-batch, over all ranks. */
  readonly flops: number;
  /** Of `flops`, those of the forward pass. */
  readonly forwardFlops: number;
  /** Parameters of the rank that has most: of routed experts, and all others. */
  readonly experts: number;
  readonly others: number;
  /** Bytes of all activations of one micro-batch, had each memory of its own, on the rank that has most. */
  readonly retainedBytes: number;
}

/** Of a pass whose transfers beside kernels are hidden as far as kernels last. */
export function msOfPass({ kernelMs, wireMs, besideMs }: PassTime): number {
  return wireMs - besideMs + Math.max(kernelMs, besideMs);
}

/** @returns by layer, `<stage>/<index>.<op>`, in the order of the plan */
export function layerCosts(
  plan: Plan,
  peaks: Peaks,
  { latencyMs, launchMs }: Overheads,
): Map<string, LayerCost> {
  const repeats = shorten(plan);
  const open = new Map<string, OpenLayer>();
  const openOf = (layer: string): OpenLayer => {
    const known = open.get(layer) ?? {
      flops: 0,
      forwardFlops: 0,
      ranks: new Map<number, OpenRank>(),
    };
    open.set(layer, known);
    return known;
  };
  const costOf = createHardwareCost(peaks, launchMs);
  listen(repeats, {
    allocate(rank, role, _bytes, shape, layer = "") {
      if (role !== "weight") return;
      rankOf(openOf(layer), rank)[shape.length === 3 ? "experts" : "others"] += volumeOf(shape);
    },
    retain(rank, bytes, layer) {
      rankOf(openOf(layer), rank).retainedBytes += bytes;
    },
    add(rank, instruction) {
      if (instruction.op === "observe" || instruction.op === "input") return;
      const { layer, phase } = instruction.origin;
      const own = openOf(layer);
      if (phase !== "update" && !isBesides(instruction)) {
        const flops = modelFlopsOf(instruction);
        own.flops += flops;
        if (phase === "forward") own.forwardFlops += flops;
      }
      addTime(rankOf(own, rank), rank, instruction, costOf(rank, instruction), latencyMs);
    },
  });
  return expanded(repeats, plan, (layer) => closed(open.get(layer)));
}

type OpenPass = { -readonly [Key in keyof PassTime]: number };

interface OpenRank {
  readonly forward: OpenPass;
  readonly backward: OpenPass;
  updateMs: number;
  experts: number;
  others: number;
  retainedBytes: number;
}

interface OpenLayer {
  flops: number;
  forwardFlops: number;
  readonly ranks: Map<number, OpenRank>;
}

function rankOf({ ranks }: OpenLayer, rank: number): OpenRank {
  const known = ranks.get(rank) ?? {
    forward: { kernelMs: 0, wireMs: 0, besideMs: 0 },
    backward: { kernelMs: 0, wireMs: 0, besideMs: 0 },
    updateMs: 0,
    experts: 0,
    others: 0,
    retainedBytes: 0,
  };
  ranks.set(rank, known);
  return known;
}

function addTime(
  own: OpenRank,
  rank: number,
  instruction: Instruction,
  { compute, reduce, upload }: ReturnType<ReturnType<typeof createHardwareCost>>,
  latencyMs: number,
): void {
  const { phase } = instruction.origin;
  const collective = collectiveOf(instruction);
  if (phase === "update") {
    if (collective === undefined) own.updateMs += compute;
    return;
  }
  const pass = own[phase];
  pass.kernelMs += compute + reduce;
  if (collective === undefined) return;
  const wireMs = upload + latencyMs * hopsOf(collective, rank).length;
  pass.wireMs += wireMs;
  if (instruction.op === "start") pass.besideMs += wireMs;
}

function closed(layer: OpenLayer | undefined): LayerCost {
  const ranks = [...(layer?.ranks.values() ?? [])];
  const most = (of: (rank: OpenRank) => number): number => Math.max(0, ...ranks.map(of));
  const slowest = (phase: "forward" | "backward"): PassTime => {
    const passes = ranks.map((rank) => rank[phase]);
    return passes.reduce<PassTime>(
      (worst, pass) => (msOfPass(pass) > msOfPass(worst) ? pass : worst),
      { kernelMs: 0, wireMs: 0, besideMs: 0 },
    );
  };
  return {
    forward: slowest("forward"),
    backward: slowest("backward"),
    updateMs: most(({ updateMs }) => updateMs),
    flops: layer?.flops ?? 0,
    forwardFlops: layer?.forwardFlops ?? 0,
    experts: most(({ experts }) => experts),
    others: most(({ others }) => others),
    retainedBytes: most(({ retainedBytes }) => retainedBytes),
  };
}

/** Layers that were left out cost what the one does that stands for them. */
function expanded(
  { stoodFor }: Repeats,
  plan: Plan,
  costOf: (layer: string) => LayerCost,
): Map<string, LayerCost> {
  const standIn = new Map<string, string>();
  for (const [own = [], ...others] of stoodFor.values()) {
    for (const names of others) {
      for (const [at, name] of names.entries()) standIn.set(name, own[at] ?? name);
    }
  }
  return new Map(
    plan.stages.flatMap((stage) =>
      stage.layers.map((layer) => {
        const name = layerName(stage, layer);
        return [name, costOf(standIn.get(name) ?? name)] as const;
      }),
    ),
  );
}
