// What a program will cost, read off its instructions: nothing is run.

import { kernelOf } from "../kernels/catalog.ts";
import type { Plan } from "../plan/plan.ts";
import { lower } from "./lower.ts";
import {
  isCollective,
  type BufferRole,
  type Instruction,
  type Program,
  type RankProgram,
} from "./program.ts";
import { unshard } from "./unshard.ts";
import { wireBytes } from "./wire.ts";

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
}

export interface LayerEstimate {
  readonly layer: string;
  /** Over all ranks, per step. */
  readonly flops: number;
  readonly wireBytes: number;
}

export interface Estimate {
  readonly ranks: readonly RankEstimate[];
  readonly layers: readonly LayerEstimate[];
  /**
   * What the model needs per step, however it is split: the FLOPs of the unsharded program. The numerator
   * of MFU. A causal kernel counts half of the score matrix; experts count the tokens sent to them.
   */
  readonly modelFlops: number;
}

/** Costs of one step of `program`, which was lowered from `plan`. */
export const estimate = (program: Program, plan: Plan): Estimate => {
  const alone = lower(unshard(plan));
  const expertRows = expertRowsByLayer(program);
  return {
    ranks: program.ranks.map((rank) => estimateRank(rank, expertRows)),
    layers: estimateLayers(program, expertRows),
    modelFlops: alone.ranks.reduce((sum, rank) => sum + sumOf(rank.instructions, modelFlopsOf), 0),
  };
};

type ExpertRows = ReadonlyMap<string, number>;

const estimateRank = (rank: RankProgram, expertRows: ExpertRows): RankEstimate => {
  const wire = rank.instructions.map((instruction) => wireOf(instruction, rank.rank, expertRows));
  const memoryByRole: Partial<Record<BufferRole, number>> = {};
  for (const { role, bytes } of rank.buffers) {
    memoryByRole[role] = (memoryByRole[role] ?? 0) + bytes;
  }
  return {
    rank: rank.rank,
    flops: sumOf(rank.instructions, instructionFlops),
    kernelBytes: sumOf(rank.instructions, kernelBytesOf),
    memoryBytes: rank.buffers.reduce((sum, buffer) => sum + buffer.bytes, 0),
    memoryByRole,
    sentBytes: wire.reduce((sum, { sent }) => sum + sent, 0),
    receivedBytes: wire.reduce((sum, { received }) => sum + received, 0),
  };
};

const estimateLayers = (program: Program, expertRows: ExpertRows): LayerEstimate[] => {
  const costs = new Map(program.layers.map((layer) => [layer, { flops: 0, wireBytes: 0 }]));
  for (const { rank, instructions } of program.ranks) {
    for (const instruction of instructions) {
      const cost = costs.get(instruction.origin.layer);
      if (cost === undefined) continue;
      cost.flops += instructionFlops(instruction);
      cost.wireBytes += wireOf(instruction, rank, expertRows).received;
    }
  }
  return [...costs].map(([layer, cost]) => ({ layer, ...cost }));
};

/** FLOPs of one instruction on one rank, reductions included. */
export const instructionFlops = (instruction: Instruction): number => {
  if (instruction.op === "kernel") return modelFlopsOf(instruction);
  if (!("workspace" in instruction) || instruction.workspace === undefined) return 0;
  const summands = instruction.from.length - 1;
  return instruction.op === "all-reduce"
    ? summands * instruction.count
    : (summands * instruction.counts.reduce((sum, count) => sum + count, 0)) /
        instruction.to.length;
};

const modelFlopsOf = (instruction: Instruction): number =>
  instruction.op === "kernel" ? kernelOf(instruction).flops(instruction.shape) : 0;

const kernelBytesOf = (instruction: Instruction): number =>
  instruction.op === "kernel"
    ? kernelOf(instruction).bytes(instruction.shape, instruction.dtype)
    : 0;

const wireOf = (instruction: Instruction, rank: number, expertRows: ExpertRows) =>
  isCollective(instruction)
    ? wireBytes(instruction, rank, expertRows.get(instruction.origin.layer) ?? 0)
    : { sent: 0, received: 0 };

/** Rows that each mixture of experts moves per micro-batch, before any is dropped. */
const expertRowsByLayer = (program: Program): ExpertRows => {
  const rows = new Map<string, number>();
  for (const instruction of program.ranks.flatMap((rank) => rank.instructions)) {
    if (instruction.op !== "kernel" || instruction.kernel !== "permute_tokens") continue;
    const { layer, microBatch } = instruction.origin;
    const { tokens, topK } = instruction.shape;
    if (microBatch === 0) rows.set(layer, (rows.get(layer) ?? 0) + tokens * topK);
  }
  return rows;
};

const sumOf = (
  instructions: readonly Instruction[],
  of: (instruction: Instruction) => number,
): number => instructions.reduce((sum, instruction) => sum + of(instruction), 0);
