// What a check sees of a rank: the bytes of its buffers, where they lie.

import type { ByteRange } from "../../gpu/read_back.ts";
import { kernelOf } from "../../kernels/catalog.ts";
import { bindingsOf } from "../../kernels/kernel.ts";
import { bytesPerElement, type DType, rowPitch, type StorageType } from "../../kernels/storage.ts";
import type { KernelInstruction } from "../../program/program.ts";
import { createPace, decodeStorage, type Pace, type CheckPause } from "./decode.ts";
import type { Effort } from "./effort.ts";
import { type Run, rowsOf } from "./sample.ts";

export interface CheckSampling {
  readonly random: () => number;
  readonly effort: Effort;
}

export interface CheckView extends CheckSampling {
  readonly rank: number;
  readonly bytesOf: (buffer: string) => number;
  readonly dtypeOf: (buffer: string) => DType;
  /** Parts of a buffer, one after the other. */
  readonly read: (buffer: string, ranges: readonly ByteRange[]) => Promise<Uint8Array<ArrayBuffer>>;
  /** What this writes, when it is run anew, in place of its last buffer; undefined where there is no memory for that. */
  readonly compute: (plain: KernelInstruction) => Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Bytes of a buffer that the instruction under check adds to, from before it ran. */
  readonly before: (buffer: string) => Uint8Array<ArrayBuffer> | undefined;
  readonly pause: CheckPause;
}

export async function readAll(
  { read, bytesOf }: Pick<CheckView, "read" | "bytesOf">,
  buffer: string,
): Promise<Uint8Array<ArrayBuffer>> {
  return read(buffer, [{ offset: 0, bytes: bytesOf(buffer) }]);
}

/** Some rows of a tensor, padding included. */
export interface PaddedRows {
  at(row: number): Float32Array;
  /** All of them, one after the other. */
  readonly values: Float32Array;
}

/** The buffers of one kernel by the names of its bindings. */
export interface Operands {
  readonly dtype: StorageType;
  readonly pace: Pace;
  readonly has: (binding: string) => boolean;
  /** A whole tensor as it lies in memory. */
  tensor(binding: string): Promise<Float32Array>;
  /** Rows of a tensor of that many columns. @param pitch columns from one to the next. Default: as many */
  rows(binding: string, columns: number, runs: readonly Run[], pitch?: number): Promise<PaddedRows>;
  /** The same of what it held before the instruction, which updates a part of it. */
  rowsBefore(binding: string, columns: number, runs: readonly Run[]): Promise<PaddedRows>;
  /** A table of u32. */
  words(binding: string): Promise<Uint32Array>;
  /** A table of f32, whatever is stored elsewhere. */
  floats(binding: string): Promise<Float32Array>;
  /** What a table of f32 that is added to held before; undefined where the kernel writes it over. */
  before(binding: string): Float32Array | undefined;
  readonly bufferOf: (binding: string) => string;
}

/** @throws Error where the kernel writes over what is asked for */
export function heldBefore(operands: Pick<Operands, "before">, binding: string): Float32Array {
  const held = operands.before(binding);
  if (held === undefined) throw new Error(`${binding} is not added to`);
  return held;
}

export function operandsOf(instruction: KernelInstruction, view: CheckView): Operands {
  const { dtype } = instruction;
  const pace = createPace(view.pause);
  const bindings = bindingsOf(kernelOf(instruction), instruction.shape);
  const bound = new Map(
    bindings.map(({ name }, index) => [name, instruction.buffers[index] ?? ""]),
  );
  const singles = new Set(bindings.flatMap(({ name, element }) => (element === "f32" ? name : [])));
  const storedAs = (binding: string): StorageType => (singles.has(binding) ? "f32" : dtype);
  const accumulated = new Set(bindings.flatMap((one) => (one.isAccumulated ? one.name : [])));
  const bufferOf = (binding: string): string => bound.get(binding) ?? "";
  const bytes = async (binding: string) => readAll(view, bufferOf(binding));
  return {
    dtype,
    pace,
    has: (binding) => bound.has(binding),
    bufferOf,
    tensor: async (binding) => decodeStorage(await bytes(binding), storedAs(binding), pace),
    words: async (binding) => new Uint32Array((await bytes(binding)).buffer),
    floats: async (binding) => new Float32Array((await bytes(binding)).buffer),
    before(binding) {
      if (!accumulated.has(binding)) return undefined;
      const held = view.before(bufferOf(binding));
      if (held === undefined) throw new Error(`what ${binding} held before was not kept`);
      return new Float32Array(held.buffer);
    },
    rows: async (binding, columns, runs, pitch) =>
      readRows(view, bufferOf(binding), columns, storedAs(binding), runs, pace, pitch),
    async rowsBefore(binding, columns, runs) {
      const held = view.before(bufferOf(binding));
      if (held === undefined) throw new Error(`what ${binding} held before was not kept`);
      const read: CheckView["read"] = async (_, ranges) => partsOf(held, ranges);
      return readRows({ read }, binding, columns, storedAs(binding), runs, pace);
    },
  };
}

function partsOf(
  held: Uint8Array<ArrayBuffer>,
  ranges: readonly ByteRange[],
): Uint8Array<ArrayBuffer> {
  const parts = ranges.map(({ offset, bytes }) => held.subarray(offset, offset + bytes));
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Of a buffer [rows, columns]. @param pitch columns from one row to the next, where they are not all there are */
export async function readRows(
  { read }: Pick<CheckView, "read">,
  buffer: string,
  columns: number,
  dtype: StorageType,
  runs: readonly Run[],
  pace: Pace,
  pitch = columns,
): Promise<PaddedRows> {
  const rowBytes = rowPitch(columns) * bytesPerElement(dtype);
  const apart = rowPitch(pitch) * bytesPerElement(dtype);
  const together = pitch === columns ? runs : oneByOne(runs);
  const ranges = together.map(({ first, count }) => ({
    offset: first * apart,
    bytes: count * rowBytes,
  }));
  return rowsOfRuns(
    await decodeStorage(await read(buffer, ranges), dtype, pace),
    rowPitch(columns),
    runs,
  );
}

function oneByOne(runs: readonly Run[]): Run[] {
  return [...rowsOf(runs)].map((first) => ({ first, count: 1 }));
}

/** The first `columns` of each row, one row after the other. @param pitch columns from one row to the next */
export function rowsTogether(values: Float32Array, columns: number, pitch = columns): Float32Array {
  if (pitch === columns) return values;
  const [own, apart] = [rowPitch(columns), rowPitch(pitch)];
  const rows = new Float32Array(Math.ceil(values.length / apart) * own);
  for (let row = 0; row * own < rows.length; row++) {
    rows.set(values.subarray(row * apart, row * apart + own), row * own);
  }
  return rows;
}

/** @param values of the runs, one after the other */
function rowsOfRuns(values: Float32Array, pitch: number, runs: readonly Run[]): PaddedRows {
  const [only] = runs;
  if (runs.length === 1 && only !== undefined) {
    const { first } = only;
    return {
      values,
      at: (row) => values.subarray((row - first) * pitch, (row + 1 - first) * pitch),
    };
  }
  const places = new Map<number, number>();
  for (const row of rowsOf(runs)) places.set(row, places.size);
  return {
    values,
    at(row) {
      const place = places.get(row);
      if (place === undefined) throw new RangeError(`row ${row} was not read`);
      return values.subarray(place * pitch, (place + 1) * pitch);
    },
  };
}
