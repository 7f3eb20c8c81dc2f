// A builder that keeps no program: it hands on each instruction as it is lowered. A plan of thousands of
// GPUs is counted in the memory of its sums.

import type { StorageType } from "../kernels/storage.ts";
import { tensorBytes, type Builder, windowName, workspaceName } from "./builder.ts";
import { stagingSizes, wordsUp } from "./exchange/chunks.ts";
import type { BufferRole, Instruction } from "./program.ts";

/** Who listens while a plan is lowered. */
export interface Sink {
  /**
   * A buffer that a rank did not have before.
   *
   * @param layer that needs it; absent where many share it
   */
  allocate(
    rank: number,
    role: BufferRole,
    bytes: number,
    shape: readonly number[],
    layer?: string,
  ): void;
  /** Bytes of an activation of one micro-batch, which a backward pass may need, wherever they lie. */
  retain?(rank: number, bytes: number, layer: string): void;
  /** In an order in which every rank could run them. */
  add(rank: number, instruction: Instruction): void;
}

export interface Stream extends Builder {
  /** Shared buffers are known in size only when all is lowered: hands them on. */
  end(): void;
}

export function createStream(ranks: number, dtype: StorageType, sink: Sink): Stream {
  /** Ranks that have a buffer, by its id, which many ranks share. */
  const declared = new Map<string, Set<number>>();
  const isNew = (rank: number, id: string): boolean => {
    let holders = declared.get(id);
    if (holders === undefined) declared.set(id, (holders = new Set()));
    if (holders.has(rank)) return false;
    holders.add(rank);
    return true;
  };
  const channels = new Map<string, number>();
  /** By slot and rank, bytes of the longest message; bytes of each workspace by rank. */
  const longest: Float64Array[] = [];
  const workspaces = new Map<string, Float64Array>();
  const see = (largest: Float64Array, rank: number, bytes: number): void => {
    largest[rank] = Math.max(largest[rank] ?? 0, wordsUp(bytes));
  };
  const stream: Stream = {
    dtype,
    declareCopies(rank, { id, layer, role, shape, dtype: own = dtype }, count) {
      if (!isNew(rank, id)) return;
      const bytes = tensorBytes(shape, own);
      sink.allocate(rank, role, count * bytes, shape, layer);
      if (role === "activation" || role === "input") sink.retain?.(rank, bytes, layer);
    },
    declareIn(rank, { id, layer, role, shape, dtype: own = dtype }, place) {
      if (!isNew(rank, id)) return;
      if (isNew(rank, place.id)) {
        const bytes = wordsUp(place.bytes);
        sink.allocate(rank, role, bytes, [bytes / 4]);
      }
      sink.retain?.(rank, tensorBytes(shape, own), layer);
    },
    emit: (rank, instruction) => sink.add(rank, instruction),
    kernel: (rank, origin, call, buffers, own = dtype) =>
      sink.add(rank, { op: "kernel", origin, dtype: own, buffers, ...call }),
    staging(rank, bytes, slot = 0) {
      for (let at = longest.length; at <= slot; at++) longest.push(new Float64Array(ranks));
      const own = longest[slot];
      if (own !== undefined) see(own, rank, bytes);
    },
    workspace(rank, bytes, slot = 0) {
      const id = workspaceName(slot);
      const largest = workspaces.get(id) ?? new Float64Array(ranks);
      workspaces.set(id, largest);
      see(largest, rank, bytes);
      return id;
    },
    window: (_rank, id, rows, tile) => windowName(id, rows, tile),
    channel(name) {
      const channel = channels.get(name) ?? channels.size;
      channels.set(name, channel);
      return channel;
    },
    end() {
      for (let rank = 0; rank < ranks; rank++) {
        const messages = longest.map((slot) => slot[rank] ?? 0);
        // A rank without blocks has no slots but the first.
        const slots = messages.findLastIndex((bytes) => bytes > 0) + 1;
        for (const bytes of stagingSizes(messages.slice(0, slots))) {
          sink.allocate(rank, "staging", bytes, [bytes / 4]);
        }
      }
      for (const largest of workspaces.values()) {
        for (const [rank, bytes] of largest.entries()) {
          if (bytes > 0) sink.allocate(rank, "workspace", bytes, [bytes / 4]);
        }
      }
    },
  };
  return stream;
}
