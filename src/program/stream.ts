// A builder that keeps no program: it hands on each instruction as it is lowered. A plan of thousands of
// GPUs is counted in the memory of its sums.

import type { StorageType } from "../kernels/storage.ts";
import { bytesOf, type Builder, slotName, windowName } from "./builder.ts";
import type { BufferRole, Instruction } from "./program.ts";

/** Who listens while a plan is lowered. */
export interface Sink {
  /** A buffer that a rank did not have before. */
  allocate(rank: number, role: BufferRole, bytes: number, elements: number): void;
  /** In an order in which every rank could run them. */
  add(rank: number, instruction: Instruction): void;
}

type SharedRole = Extract<BufferRole, "staging" | "workspace">;

export interface Stream extends Builder {
  /** Shared buffers are known in size only when all is lowered: hands them on. */
  end(): void;
}

export const createStream = (ranks: number, dtype: StorageType, sink: Sink): Stream => {
  /** Ranks that have a buffer, by its id, which many ranks share. */
  const declared = new Map<string, Set<number>>();
  const channels = new Map<string, number>();
  /** Bytes per rank, by name of the shared buffer. */
  const largest = new Map<string, { readonly role: SharedRole; readonly bytes: Float64Array }>();
  const shared = (rank: number, role: SharedRole, bytes: number, slot: number): string => {
    const id = slotName(role, slot);
    const known = largest.get(id) ?? { role, bytes: new Float64Array(ranks) };
    largest.set(id, known);
    known.bytes[rank] = Math.max(known.bytes[rank] ?? 0, Math.ceil(bytes / 4) * 4);
    return id;
  };
  const stream: Stream = {
    dtype,
    declare(rank, { id, role, shape, dtype: own = dtype }) {
      let holders = declared.get(id);
      if (holders === undefined) declared.set(id, (holders = new Set()));
      if (holders.has(rank)) return id;
      holders.add(rank);
      const elements = shape.reduce((product, extent) => product * extent, 1);
      sink.allocate(rank, role, bytesOf(shape, own), elements);
      return id;
    },
    emit: (rank, instruction) => sink.add(rank, instruction),
    kernel: (rank, origin, call, buffers) =>
      sink.add(rank, { op: "kernel", origin, dtype, buffers, ...call }),
    staging: (rank, bytes, slot = 0) => shared(rank, "staging", bytes, slot),
    workspace: (rank, bytes, slot = 0) => shared(rank, "workspace", bytes, slot),
    window: (_rank, id, _columns, first, rows) => windowName(id, first, rows),
    channel(name) {
      const channel = channels.get(name) ?? channels.size;
      channels.set(name, channel);
      return channel;
    },
    end() {
      for (const { role, bytes: perRank } of largest.values()) {
        for (const [rank, bytes] of perRank.entries()) {
          if (bytes > 0) sink.allocate(rank, role, bytes, bytes / 4);
        }
      }
    },
  };
  return stream;
};
