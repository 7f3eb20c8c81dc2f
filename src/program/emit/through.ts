// Copies within a buffer go through another: WebGPU has no copy that begins and ends in one.

import type { Builder } from "../builder.ts";
import { chunkBytes } from "../exchange/chunks.ts";
import { nameOn, type Tensor } from "../tensor.ts";
import type { ActivationMemory } from "./activation_memory.ts";

/**
 * The buffer that a copy from `x` to `y` goes through, where both lie in one arena. All copies of a rank take turns in it.
 *
 * @param bytes of the copy: what is longer than a chunk goes chunk by chunk
 */
export function throughOn(
  { builder, memory }: { readonly builder: Builder; readonly memory: ActivationMemory },
  rank: number,
  x: Tensor,
  y: Tensor,
  bytes: number,
): { readonly through?: string } {
  const [source, target] = [x, y].map((tensor) => nameOn(tensor, rank));
  const placeOf = memory.on(rank)?.placeOf;
  const arena = placeOf?.get(source ?? "")?.arena;
  if (source === target || arena === undefined) return {};
  if (placeOf?.get(target ?? "")?.arena !== arena) return {};
  return { through: builder.workspace(rank, Math.min(bytes, chunkBytes), "copies") };
}
