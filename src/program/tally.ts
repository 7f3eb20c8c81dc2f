// Adds up what instructions cost, per rank, layer, kernel and collective, whether they come from a program
// or straight from lowering.

import type { KernelName } from "../kernels/catalog.ts";
import { instructionFlops, kernelBytesOf } from "./instruction_cost.ts";
import type { BufferRole, Collective, Instruction } from "./program.ts";
import { collectiveOf, isBesides } from "./program.ts";
import type { Sink } from "./stream.ts";
import type { WireCount } from "./wire.ts";

export interface RankEstimate {
  readonly rank: number;
  /** Of the model's kernels and of reductions, per step. */
  readonly flops: number;
  /** Bytes that the kernels move through global memory, per step. */
  readonly kernelBytes: number;
  /** Bytes of GPU memory: exactly what a run allocates. */
  readonly memoryBytes: number;
  readonly memoryByRole: Readonly<Partial<Record<BufferRole, number>>>;
  /** Payload to and from other ranks, per step. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** The same if routers send this rank all that its experts take; absent without experts elsewhere. */
  readonly receivedBytesAtWorst?: number;
  /** What the synthetic backward pass costs besides, per step; nowhere else is it counted, but in memory. */
  readonly synthetic?: BackwardEstimate;
  /** The same of what the backward pass computes again. */
  readonly recomputed?: BackwardEstimate;
}

export interface BackwardEstimate {
  readonly flops: number;
  readonly kernelBytes: number;
  readonly receivedBytes: number;
}

export interface LayerEstimate {
  readonly layer: string;
  /** Over all ranks, per step. */
  readonly flops: number;
  readonly kernelBytes: number;
  readonly wireBytes: number;
}

export interface KernelEstimate {
  readonly kernel: KernelName;
  /** Dispatches over all ranks, per step. */
  readonly calls: number;
  readonly flops: number;
  readonly kernelBytes: number;
}

/** The collectives of one kind that one layer needs, over all groups of ranks. */
export interface CollectiveEstimate {
  /** A send and its receive are one "send". */
  readonly op: Exclude<Collective["op"], "recv">;
  readonly layer: string;
  /** The plan's name for it; absent where it follows from the layer. */
  readonly name?: string;
  /** Ranks of the first of them. */
  readonly groups: readonly { readonly from: readonly number[]; readonly to: readonly number[] }[];
  /** How many per micro-batch: one per data replica, say. */
  readonly instances: number;
  /** Per step. */
  readonly calls: number;
  /** What arrives over all ranks, per step. */
  readonly wireBytes: number;
}

export interface Totals {
  readonly ranks: readonly RankEstimate[];
  readonly layers: readonly LayerEstimate[];
  readonly kernels: readonly KernelEstimate[];
  readonly collectives: readonly CollectiveEstimate[];
}

/** More groups than anyone looks at are counted only. */
export const mostGroups = 16;

type Open<T> = { -readonly [K in keyof T]: T[K] };

export interface Tally extends Sink {
  /** @param times how often what was added takes place in a step */
  totals(times: number): Totals;
}

/**
 * @param declared names of the plan's own communications
 * @param timesOf how many layers of the plan a layer stands for, see `repeats.ts`
 * @param microBatches that `totals` will be asked for: what comes once a step counts as a part of each
 */
export function createTally(
  ranks: number,
  layerNames: readonly string[],
  wireBytes: WireCount,
  declared: ReadonlySet<string> = new Set(),
  timesOf: (layer: string) => number = () => 1,
  microBatches = 1,
): Tally {
  const sums: Sums = {
    perRank: Array.from({ length: ranks }, (_, rank) => ({
      rank,
      flops: 0,
      kernelBytes: 0,
      memoryBytes: 0,
      memoryByRole: {},
      sentBytes: 0,
      receivedBytes: 0,
    })),
    layers: new Map(
      layerNames.map((layer) => [layer, { layer, flops: 0, kernelBytes: 0, wireBytes: 0 }]),
    ),
    kernels: new Map(),
    collectives: new Map(),
    extra: new Map(),
    syntheticByRank: new Map(),
    recomputedByRank: new Map(),
    wireBytes,
    declared,
    timesOf,
  };
  const { perRank, layers, kernels } = sums;
  return {
    allocate(rank, role, bytes, _shape, layer) {
      const own = perRank[rank];
      if (own === undefined) return;
      const all = layer === undefined ? bytes : timesOf(layer) * bytes;
      own.memoryBytes += all;
      own.memoryByRole[role] = (own.memoryByRole[role] ?? 0) + all;
    },
    add(rank, instruction) {
      if (isBesides(instruction)) {
        addBackward(sums, rank, instruction);
        return;
      }
      const own = perRank[rank];
      const layer = layers.get(instruction.origin.layer);
      const flops = instructionFlops(instruction);
      if (own === undefined) return;
      const share = instruction.origin.phase === "update" ? 1 / microBatches : 1;
      const times = share * timesOf(instruction.origin.layer);
      own.flops += times * flops;
      if (layer !== undefined) layer.flops += share * flops;
      if (instruction.op === "kernel") {
        const bytes = kernelBytesOf(instruction);
        own.kernelBytes += times * bytes;
        if (layer !== undefined) layer.kernelBytes += share * bytes;
        addKernel(kernels, instruction.kernel, times, flops, bytes);
        return;
      }
      const transfer = collectiveOf(instruction);
      if (transfer === undefined) return;
      // Send and receive are two instructions of one transfer, and micro-batches are alike.
      const isFirst =
        rank === transfer.from[0] &&
        transfer.origin.microBatch === 0 &&
        (instruction.op !== "start" || instruction.block === 0);
      if (isFirst && transfer.op !== "recv") addInstance(sums, transfer, share);
      addWire(sums, own, transfer, share);
    },
    totals: (count) => totalsOf(sums, count),
  };
}

type RankSums = Open<
  Omit<RankEstimate, "memoryByRole" | "receivedBytesAtWorst" | "synthetic" | "recomputed">
> & {
  readonly memoryByRole: Partial<Record<BufferRole, number>>;
};

type CollectiveSums = Open<CollectiveEstimate>;

/** Of one micro-batch. */
interface Sums {
  readonly perRank: readonly RankSums[];
  readonly layers: Map<string, Open<LayerEstimate>>;
  readonly kernels: Map<KernelName, Open<KernelEstimate>>;
  readonly collectives: Map<string, CollectiveSums>;
  /** By rank, what may arrive beyond what is expected. */
  readonly extra: Map<number, number>;
  readonly syntheticByRank: Map<number, Open<BackwardEstimate>>;
  readonly recomputedByRank: Map<number, Open<BackwardEstimate>>;
  readonly wireBytes: WireCount;
  readonly declared: ReadonlySet<string>;
  readonly timesOf: (layer: string) => number;
}

function addBackward(
  { syntheticByRank, recomputedByRank, timesOf, wireBytes }: Sums,
  rank: number,
  instruction: Instruction,
): void {
  const byRank = instruction.origin.isRecomputed === true ? recomputedByRank : syntheticByRank;
  const own = byRank.get(rank) ?? { flops: 0, kernelBytes: 0, receivedBytes: 0 };
  byRank.set(rank, own);
  const times = timesOf(instruction.origin.layer);
  own.flops += times * instructionFlops(instruction);
  own.kernelBytes += times * kernelBytesOf(instruction);
  const transfer = collectiveOf(instruction);
  if (transfer !== undefined) own.receivedBytes += times * wireBytes(transfer, rank).received;
}

/** @param share of what it takes, in each micro-batch */
function addWire(sums: Sums, own: RankSums, transfer: Collective, share: number): void {
  const { layers, extra, timesOf } = sums;
  const { sent, received, receivedAtWorst } = sums.wireBytes(transfer, own.rank);
  const times = share * timesOf(transfer.origin.layer);
  own.sentBytes += times * sent;
  own.receivedBytes += times * received;
  if (receivedAtWorst !== undefined) {
    extra.set(own.rank, (extra.get(own.rank) ?? 0) + times * (receivedAtWorst - received));
  }
  const layer = layers.get(transfer.origin.layer);
  if (layer !== undefined) layer.wireBytes += share * received;
  totalOf(sums, transfer).wireBytes += share * received;
}

function addInstance(sums: Sums, transfer: Collective, share: number): void {
  const collective = totalOf(sums, transfer);
  const { from, to } = transfer;
  if (collective.instances < mostGroups) {
    collective.groups = [...collective.groups, { from, to }];
  }
  collective.instances += 1;
  collective.calls += share;
}

function totalOf({ collectives, declared }: Sums, transfer: Collective): CollectiveSums {
  const { origin } = transfer;
  const op = transfer.op === "recv" ? "send" : transfer.op;
  // A declared send is one transfer per pair, named after the whole.
  const name = [transfer.name, transfer.name.slice(0, transfer.name.lastIndexOf("/"))].find(
    (each) => declared.has(each),
  );
  const key = `${op} ${origin.layer} ${name ?? ""}`;
  let found = collectives.get(key);
  if (found === undefined) {
    const named = name === undefined ? {} : { name };
    found = { op, layer: origin.layer, ...named, groups: [], instances: 0, calls: 0, wireBytes: 0 };
    collectives.set(key, found);
  }
  return found;
}

function totalsOf(sums: Sums, microBatches: number): Totals {
  const perStep = <T extends object>(record: T, keys: readonly (keyof T)[]): T => {
    const scaled = { ...record };
    for (const key of keys) Object.assign(scaled, { [key]: Number(record[key]) * microBatches });
    return scaled;
  };
  const rankTotals = (each: RankSums): RankEstimate => {
    const expected = perStep(each, ["flops", "kernelBytes", "sentBytes", "receivedBytes"]);
    const more = sums.extra.get(each.rank);
    const besides = (of: BackwardEstimate | undefined): BackwardEstimate | undefined =>
      of && perStep(of, ["flops", "kernelBytes", "receivedBytes"]);
    const synthetic = besides(sums.syntheticByRank.get(each.rank));
    const recomputed = besides(sums.recomputedByRank.get(each.rank));
    return {
      ...expected,
      ...(more === undefined
        ? {}
        : { receivedBytesAtWorst: expected.receivedBytes + more * microBatches }),
      ...(synthetic === undefined ? {} : { synthetic }),
      ...(recomputed === undefined ? {} : { recomputed }),
    };
  };
  return {
    ranks: sums.perRank.map(rankTotals),
    layers: [...sums.layers.values()].map((each) =>
      perStep(each, ["flops", "kernelBytes", "wireBytes"]),
    ),
    kernels: [...sums.kernels.values()].map((each) => {
      const all = perStep(each, ["calls", "flops", "kernelBytes"]);
      return { ...all, calls: Math.round(all.calls) };
    }),
    collectives: [...sums.collectives.values()].map((each) => ({
      ...each,
      calls: Math.round(each.calls * microBatches),
      wireBytes: each.wireBytes * microBatches,
    })),
  };
}

function addKernel(
  kernels: Map<KernelName, Open<KernelEstimate>>,
  kernel: KernelName,
  times: number,
  flops: number,
  bytes: number,
): void {
  const known = kernels.get(kernel) ?? { kernel, calls: 0, flops: 0, kernelBytes: 0 };
  kernels.set(kernel, known);
  known.calls += times;
  known.flops += times * flops;
  known.kernelBytes += times * bytes;
}
