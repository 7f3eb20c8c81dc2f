// Ranks that have nothing to do but what they are asked.

import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import type { Program } from "../../src/program/program.ts";
import { openRanks, type OpenRanksOptions } from "../../src/runtime/coordinator.ts";
import type { RankPool } from "../../src/runtime/rank_pool.ts";

export async function openIdleRanks(
  choices: readonly AdapterChoice[],
  options: OpenRanksOptions = {},
): Promise<RankPool> {
  const program: Program = {
    name: "idle",
    dtype: "f32",
    seed: 1,
    ranks: choices.map((_, rank) => ({ rank, buffers: [], instructions: [] })),
    batch: 1,
    tokens: 1,
    microBatches: 1,
    layers: [],
    output: { rows: 1, columns: 1 },
  };
  return openRanks(program, choices, options);
}
