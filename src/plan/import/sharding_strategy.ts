// How FSDP shards, by the names and the numbers that PyTorch, Accelerate and the Trainer have for it.

import type { Layout } from "./note.ts";

type Sharding = Pick<Layout, "zero" | "shardCopies">;

/** The hybrid ones shard within a machine. */
const strategies: readonly (readonly [
  number: string,
  name: string,
  zero: 0 | 2 | 3,
  isHybrid: boolean,
])[] = [
  ["1", "FULL_SHARD", 3, false],
  ["2", "SHARD_GRAD_OP", 2, false],
  ["3", "NO_SHARD", 0, false],
  ["4", "HYBRID_SHARD", 3, true],
  ["5", "HYBRID_SHARD_ZERO2", 2, true],
];

/** Undefined where it is no strategy. */
export function shardingOf(written: unknown, machines: number): Sharding | undefined {
  if (typeof written !== "string" && typeof written !== "number") return undefined;
  const wanted = `${written}`.toUpperCase();
  const found = strategies.find(([number, name]) => number === wanted || name === wanted);
  if (found === undefined) return undefined;
  const [, , zero, isHybrid] = found;
  return { zero, ...(isHybrid ? { shardCopies: machines } : {}) };
}
