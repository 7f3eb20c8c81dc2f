// What every split of a model has to do, whoever does it: FLOPs and parameters of each block, read off the program of
// one rank.

import { blocksOf } from "../plan/blocks.ts";
import type { Plan } from "../plan/plan.ts";
import { layerCosts, type LayerCost } from "../program/simulate/layer_costs.ts";
import { unshard } from "../program/unshard.ts";

export interface WorkOfPart {
  /** Of a step, both passes, without what is computed again. */
  readonly flops: number;
  /** Of `flops`, those of the forward pass. */
  readonly forwardFlops: number;
  /** Parameters of routed experts, and all others. */
  readonly experts: number;
  readonly others: number;
}

export interface ModelWork {
  readonly blocks: readonly WorkOfPart[];
  /** What stands before the first block, and behind the last. */
  readonly first: WorkOfPart;
  readonly last: WorkOfPart;
}

export interface InBlocks<T> {
  readonly blocks: readonly (readonly T[])[];
  readonly first: readonly T[];
  readonly last: readonly T[];
}

export function workOfModel(plan: Plan): ModelWork {
  const alone = unshard(plan);
  const costs = layerCosts(alone, { flops: 1 }, { latencyMs: 0, launchMs: 0 });
  const { microBatches } = plan.workload;
  const sum = (layers: readonly LayerCost[]): WorkOfPart => ({
    flops: microBatches * total(layers, ({ flops }) => flops),
    forwardFlops: microBatches * total(layers, ({ forwardFlops }) => forwardFlops),
    experts: total(layers, ({ experts }) => experts),
    others: total(layers, ({ others }) => others),
  });
  const { blocks, first, last } = inBlocks(alone, costs);
  return { blocks: blocks.map(sum), first: sum(first), last: sum(last) };
}

/** Layers between two blocks belong to the one before. */
export function inBlocks<T>(plan: Plan, costs: ReadonlyMap<string, T>): InBlocks<T> {
  const names = blocksOf(plan);
  const blockOf = new Map(names.flatMap((block, at) => block.map((name) => [name, at] as const)));
  const lastName = names.at(-1)?.at(-1);
  const blocks = names.map((): T[] => []);
  const first: T[] = [];
  const last: T[] = [];
  let current = first;
  for (const [name, cost] of costs) {
    const at = blockOf.get(name);
    current = (at === undefined ? undefined : blocks[at]) ?? current;
    current.push(cost);
    if (name === lastName) current = last;
  }
  return { blocks, first, last };
}

export function total<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}
