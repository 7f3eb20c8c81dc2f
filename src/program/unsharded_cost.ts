// What a plan's model needs, however it is split: read off its unsharded program.

import type { Plan } from "../plan/plan.ts";
import { listen } from "./listen.ts";
import { modelFlopsOf } from "./instruction_cost.ts";
import { type Instruction, isBesides, isForward } from "./program.ts";
import { shorten } from "./repeats.ts";
import { volumeOf } from "./tensor.ts";
import { unshard } from "./unshard.ts";

/** Of the unsharded program's forward pass per step. */
export interface ForwardFlops {
  readonly all: number;
  /** Scores, and values weighed by them. */
  readonly attention: number;
  /** Products of experts. */
  readonly experts: number;
}

/** What the model costs, however it is split. */
export interface Unsharded {
  readonly flops: number;
  readonly forwardFlops: ForwardFlops;
  readonly parameters: number;
  /** Of experts that a token is not sent to. */
  readonly idleParameters: number;
}

/** Of one step of the plan on one rank. */
export function unsharded(plan: Plan): Unsharded {
  const { microBatches } = plan.workload;
  const forwardFlops = { all: 0, attention: 0, experts: 0 };
  let flops = 0;
  let parameters = 0;
  let idleParameters = 0;
  const repeats = shorten(unshard(plan));
  const { timesOf } = repeats;
  listen(repeats, {
    allocate(_rank, role, _bytes, shape, layer = "") {
      if (role === "weight") parameters += timesOf(layer) * volumeOf(shape);
    },
    add(_rank, instruction) {
      if (instruction.origin.phase === "update" || isBesides(instruction)) return;
      const times = timesOf(instruction.origin.layer);
      const own = microBatches * times * modelFlopsOf(instruction);
      flops += own;
      if (!isForward(instruction)) return;
      idleParameters += times * idleWeights(plan, instruction);
      forwardFlops.all += own;
      const part = instruction.op === "kernel" ? partOf(instruction.kernel) : undefined;
      if (part !== undefined) forwardFlops[part] += own;
    },
  });
  return { flops, forwardFlops, parameters, idleParameters };
}

function partOf(kernel: string): "attention" | "experts" | undefined {
  if (kernel === "grouped_matmul") return "experts";
  return kernel.startsWith("attention") || kernel.startsWith("attend") ? "attention" : undefined;
}

/** Of a product over experts: the weights of those that a token is not sent to. */
function idleWeights(plan: Plan, instruction: Instruction): number {
  if (instruction.op !== "kernel" || instruction.kernel !== "grouped_matmul") return 0;
  const { experts, n, k, bias, expectedRows } = instruction.shape;
  const { batch, sequence, microBatches } = plan.workload;
  const topK = expectedRows / ((batch * sequence) / microBatches);
  return Math.max(0, experts - topK) * n * (k + (bias === true ? 1 : 0));
}
