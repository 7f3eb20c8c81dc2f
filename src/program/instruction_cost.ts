// What one instruction computes and moves on one rank.

import { attendedPairs } from "../kernels/attention_shape.ts";
import { kernelOf, kernels } from "../kernels/catalog.ts";
import { broadcastsSums } from "./exchange/all_reduce/algorithms.ts";
import { reduces } from "./exchange/sums.ts";
import { type AllReduce, collectiveOf, type Instruction, type ReduceScatter } from "./program.ts";

/** FLOPs of one instruction on one rank, reductions included. */
export function instructionFlops(instruction: Instruction): number {
  if (instruction.op === "kernel") return kernelFlops(instruction);
  const transfer = collectiveOf(instruction);
  if (transfer === undefined || !reduces(transfer) || transfer.receive === undefined) return 0;
  const { from, to } = transfer;
  const additions = (from.length - 1) * elementsOf(transfer);
  const isShared = transfer.op === "reduce-scatter" || broadcastsSums(transfer);
  return isShared ? additions / to.length : additions;
}

function elementsOf(reducing: AllReduce | ReduceScatter): number {
  return reducing.op === "reduce-scatter"
    ? reducing.counts.reduce((sum, count) => sum + count, 0)
    : reducing.count;
}

/** What the model needs of it: nothing but its kernels. */
export function kernelFlops(instruction: Instruction): number {
  return instruction.op === "kernel" ? kernelOf(instruction).flops(instruction.shape) : 0;
}

/** What a step asks for: of the backward pass of attention no score that the forward pass had. */
export function modelFlopsOf(instruction: Instruction): number {
  if (instruction.op !== "kernel") return 0;
  switch (instruction.kernel) {
    case "attention_statistics":
    case "attention_block_statistics":
    case "pack_attention_gradient":
    case "softmax":
      return 0;
    // Of all pairs, of which the model asks for those that a query sees.
    case "attention_scores":
    case "attention_values":
      return (
        (kernelFlops(instruction) * attendedPairs(instruction.shape)) /
        instruction.shape.sequence ** 2
      );
    case "attention_gradient":
      return 2 * kernels.attention.flops(instruction.shape);
    case "attention_block_gradient":
      return 2 * kernels.attention_block.flops({ ...instruction.shape, at: "last" });
    default:
      return kernelFlops(instruction);
  }
}

export function kernelBytesOf(instruction: Instruction): number {
  return instruction.op === "kernel"
    ? kernelOf(instruction).bytes(instruction.shape, instruction.dtype)
    : 0;
}
