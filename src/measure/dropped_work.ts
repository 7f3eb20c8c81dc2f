// The work that experts were spared: choices over capacity are counted in the model's FLOPs, where routing
// is balanced, and dropped in a run.

import { isForward, type Instruction, type Program } from "../program/program.ts";
import { kernelFlops } from "../program/instruction_cost.ts";
import type { StepSample } from "./sample.ts";

export interface DroppedFlops {
  /** Of the model's. */
  readonly model: number;
  /** Of those that the backward pass computes again. */
  readonly recomputed: number;
}

/** FLOPs of a sample's step that the estimate counts and no expert did; 0 where no choice was dropped. */
export function droppedFlops(program: Program): (sample: StepSample) => DroppedFlops {
  const layers = new Map<string, ExpertWork>();
  const passes = program.ranks.some(isTrained) ? 3 : 1;
  for (const instruction of program.ranks.flatMap(({ instructions }) => instructions)) {
    const product = productOf(instruction);
    if (product === undefined) continue;
    const { layer, isRecomputed } = instruction.origin;
    const work = layers.get(layer) ?? { flops: 0, recomputed: 0, weights: new Map() };
    layers.set(layer, work);
    if (isRecomputed === true) {
      work.recomputed += product.flops;
    } else {
      work.flops += product.flops;
      work.weights.set(product.weight, product.elements);
    }
  }
  return ({ experts }) => {
    const sum = { model: 0, recomputed: 0 };
    for (const { layer, ranks, dropped } of experts) {
      const work = layers.get(layer);
      if (dropped === 0 || work === undefined) continue;
      const kept = ranks.flatMap(({ tokens }) => tokens).reduce((all, count) => all + count, 0);
      const perChoice = 2 * [...work.weights.values()].reduce((all, size) => all + size, 0);
      // A capacity below the balanced load is in the estimate already.
      const spared = Math.max(0, work.flops - kept * perChoice);
      sum.model += passes * spared;
      sum.recomputed += (spared * work.recomputed) / work.flops;
    }
    return sum;
  };
}

interface ExpertWork {
  /** Of all ranks and micro-batches, as estimated. */
  flops: number;
  /** The same of what comes again in the backward pass. */
  recomputed: number;
  /** Elements of one expert's matrices, by the buffers that hold them. */
  readonly weights: Map<string, number>;
}

/** Whether its steps have a backward pass, whose products are twice those of the forward pass. */
function isTrained({ instructions }: Program["ranks"][number]): boolean {
  return instructions.some(({ origin }) => origin.phase === "update");
}

function productOf(instruction: Instruction) {
  if (instruction.op !== "kernel" || instruction.kernel !== "grouped_matmul") return undefined;
  if (!isForward(instruction) && instruction.origin.isRecomputed !== true) return undefined;
  const { n, k } = instruction.shape;
  const [, weight = ""] = instruction.buffers;
  return { flops: kernelFlops(instruction), weight, elements: n * k };
}
