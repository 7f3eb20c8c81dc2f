// Collects declarations and instructions of all ranks while a plan is lowered.

import type { KernelCall } from "../kernels/catalog.ts";
import {
  bytesPerElement,
  ceilDiv,
  rowPitch,
  type DType,
  type StorageType,
} from "../kernels/storage.ts";
import type { Content } from "./content.ts";
import { stagingSizes } from "./exchange/chunks.ts";
import type { BufferDeclaration, BufferRole, Instruction, Origin, RankProgram } from "./program.ts";
import { volumeOf, type Window } from "./tensor.ts";
import type { TileExtent } from "./tile.ts";
import { windowAlignment } from "./window.ts";

export interface Declaration {
  readonly id: string;
  /** That needs it, by name. */
  readonly layer: string;
  readonly role: BufferRole;
  readonly shape: readonly number[];
  /** Default: the program's dtype. */
  readonly dtype?: DType;
  readonly content?: Content;
}

/** A place in memory of a rank that several activations use in turn. */
export interface SharedPlace {
  /** Of the memory, with its bytes. */
  readonly id: string;
  readonly bytes: number;
  readonly offset: number;
}

/** Rows [first, first + rows) of a buffer [all rows, columns]. */
export interface RowsOfBuffer extends Window {
  readonly columns: number;
}

export interface Builder {
  readonly dtype: StorageType;
  /**
   * The same buffer `count` times, each under the name of its copy. Declaring it again, for the next micro-batch, changes
   * nothing.
   */
  declareCopies(rank: number, declaration: Declaration, count: number): void;
  /** As a part of memory that others use, too. */
  declareIn(rank: number, declaration: Declaration, place: SharedPlace): void;
  emit(rank: number, instruction: Instruction): void;
  /** @param dtype default: the program's */
  kernel(
    rank: number,
    origin: Origin,
    call: KernelCall,
    buffers: readonly string[],
    dtype?: StorageType,
  ): void;
  /**
   * Says that a message of so many bytes leaves the rank: mappable buffers for its chunks. Slots are as of
   * workspaces.
   */
  staging(rank: number, bytes: number, slot?: number): void;
  /**
   * Room for pieces that are reduced or woven together as soon as they are there: one buffer per rank and
   * slot, as large as its largest use. Collectives that run in turn use slot 0, those that run at the same
   * time a slot each.
   */
  workspace(rank: number, bytes: number, slot?: WorkspaceSlot): string;
  /** Rows of a declared buffer as a buffer, or some columns of them; they begin where a GPU can bind them. */
  window(rank: number, id: string, rows: RowsOfBuffer, columns?: TileExtent): string;
  /** The same number for the same name. */
  channel(name: string): number;
}

/** A builder that keeps everything. */
export interface ProgramBuilder extends Builder {
  /** One buffer. */
  declare(rank: number, declaration: Declaration): void;
  ranks(): RankProgram[];
}

export function createBuilder(ranks: number, dtype: StorageType): ProgramBuilder {
  const buffers = Array.from({ length: ranks }, () => new Map<string, BufferDeclaration>());
  const instructions = Array.from({ length: ranks }, (): Instruction[] => []);
  const channels = new Map<string, number>();

  const buffersOf = (rank: number): Map<string, BufferDeclaration> => {
    const found = buffers[rank];
    if (found === undefined) throw new RangeError(`rank ${rank} of ${ranks}`);
    return found;
  };
  /** By rank and slot. */
  const longest = Array.from({ length: ranks }, (): number[] => []);

  const builder: ProgramBuilder = {
    dtype,
    declare(rank, { id, layer: _, dtype: own = dtype, ...rest }) {
      const bytes = tensorBytes(rest.shape, own);
      const known = buffersOf(rank).get(id);
      if (known !== undefined && known.bytes !== bytes) {
        throw new Error(`buffer ${id} of rank ${rank}: ${known.bytes} and ${bytes} bytes`);
      }
      if (known === undefined) buffersOf(rank).set(id, { id, dtype: own, bytes, ...rest });
    },
    declareCopies(rank, declaration, count) {
      for (let copy = 0; copy < count; copy++) {
        builder.declare(rank, { ...declaration, id: copyName(declaration.id, copy, count) });
      }
    },
    declareIn(rank, { id, layer: _, dtype: own = dtype, ...rest }, place) {
      const known = buffersOf(rank);
      if (known.has(id)) return;
      if (!known.has(place.id)) known.set(place.id, ofWords(place.id, rest.role, place.bytes));
      const within = { buffer: place.id, offset: place.offset };
      known.set(id, { id, dtype: own, bytes: tensorBytes(rest.shape, own), ...rest, within });
    },
    emit(rank, instruction) {
      buffersOf(rank);
      instructions[rank]?.push(instruction);
    },
    kernel(rank, origin, call, ids, own = dtype) {
      builder.emit(rank, { op: "kernel", origin, dtype: own, buffers: ids, ...call });
    },
    staging(rank, bytes, slot = 0) {
      const own = longest[rank] ?? [];
      for (let at = own.length; at <= slot; at++) own.push(0);
      own[slot] = Math.max(bytes, own[slot] ?? 0);
    },
    workspace(rank, bytes, slot = 0) {
      const id = workspaceName(slot);
      const known = buffersOf(rank).get(id)?.bytes ?? 0;
      buffersOf(rank).set(id, ofWords(id, "workspace", Math.max(bytes, known)));
      return id;
    },
    window(rank, buffer, window, tile) {
      const declared = windowOf(buffersOf(rank).get(buffer), buffer, dtype, window, tile);
      buffersOf(rank).set(declared.id, declared);
      return declared.id;
    },
    channel(name) {
      const channel = channels.get(name) ?? channels.size;
      channels.set(name, channel);
      return channel;
    },
    ranks: () =>
      instructions.map((list, rank) => ({
        rank,
        buffers: [...buffersOf(rank).values(), ...stagingOf(longest[rank] ?? [])],
        instructions: list,
      })),
  };
  return builder;
}

function ofWords(id: string, role: BufferRole, bytes: number): BufferDeclaration {
  const words = ceilDiv(bytes, 4);
  return { id, role, dtype: "u32", shape: [words], bytes: words * 4 };
}

/** @param longest message by slot, in bytes */
function stagingOf(longest: readonly number[]): BufferDeclaration[] {
  return stagingSizes(longest).map((bytes, i) => ofWords(`staging/${i}`, "staging", bytes));
}

/** @param of as `buffer` is declared */
function windowOf(
  of: BufferDeclaration | undefined,
  buffer: string,
  dtype: StorageType,
  window: RowsOfBuffer,
  tile: TileExtent | undefined,
): BufferDeclaration {
  const id = windowName(buffer, window, tile);
  const { columns, first, rows } = window;
  const { role = "activation", within: base = { buffer, offset: 0 } } = of ?? {};
  const offset = base.offset + windowStart(id, first, columns, dtype);
  const shape = [rows, tile?.size ?? columns];
  const common = { id, role, dtype, shape };
  if (tile === undefined) {
    const within = { buffer: base.buffer, offset };
    return { ...common, bytes: tensorBytes(shape, dtype), within };
  }
  const pitch = tensorBytes([1, columns], dtype);
  return {
    ...common,
    bytes: (rows - 1) * pitch + tensorBytes([1, tile.size], dtype),
    within: { buffer: base.buffer, offset: offset + tensorBytes([1, tile.first], dtype) },
    columnsOf: { id: windowName(buffer, window), pitch },
  };
}

/** In bytes of the buffer that it is a part of. */
function windowStart(id: string, first: number, columns: number, dtype: DType): number {
  const offset = tensorBytes([first, columns], dtype);
  if (offset % windowAlignment === 0) return offset;
  throw new Error(`${id}: a window at byte ${offset}, which is no multiple of ${windowAlignment}`);
}

/** A buffer that there is once keeps its name. */
export function copyName(id: string, copy: number, count: number): string {
  return count === 1 ? id : `${id}#${copy}`;
}

/** Tensors of other widths may take turns in the buffer: of some columns the name has how many there are. */
export function windowName(
  buffer: string,
  { first, rows, columns }: RowsOfBuffer,
  tile?: TileExtent,
): string {
  const name = `${buffer}@${first}+${rows}`;
  return tile === undefined ? name : `${name},${tile.first}+${tile.size}/${columns}`;
}

/** Copies take turns in one of their own: nothing else comes between the two halves of each. */
export type WorkspaceSlot = number | "copies";

export function workspaceName(slot: WorkspaceSlot): string {
  return slot === 0 ? "workspace" : `workspace/${slot}`;
}

/** Bytes of a buffer of that shape; all but u32 pad the last dimension to quads. */
export function tensorBytes(shape: readonly number[], dtype: DType): number {
  const columns = shape.at(-1) ?? 1;
  const rows = volumeOf(shape.slice(0, -1));
  return rows * (dtype === "u32" ? columns : rowPitch(columns)) * bytesPerElement(dtype);
}
