// What a rank shows of its part in a collective: enough for whoever sees all ranks to say whether what came out is what
// went in, and where it belongs. Bits that are moved are hashed. Sums are multiplied block by block by one vector, which
// makes one number of every 1,024 elements, and of each block one element is shown as it is.

import { bytesPerElement, type StorageType } from "../../kernels/storage.ts";
import type { Collective, ExpertCombine, ExpertDispatch } from "../../program/program.ts";
import { startsOf } from "../../program/tensor.ts";
import { agreedRanges, hashOf } from "./bits.ts";
import { createPace, decodeStorage, type Pace } from "./decode.ts";
import { type CheckView, readAll } from "./view.ts";

/** Blocks of a part of a sum, in order. */
export interface SumBlocks {
  /** The vector times each block, the sum of its squares, and one element of it. */
  readonly products: Float64Array;
  readonly squares: Float64Array;
  readonly samples: Float64Array;
  /** Elements of the longest block. */
  readonly elements: number;
}

export type Evidence =
  /** By member of `to` for what is sent, of `from` for what is received; one where all get the same. */
  | { readonly kind: "moved"; readonly hashes: readonly number[] }
  /** What is sent: by part of the sum, one for each member of `to` or one for all. What is received: one. */
  | { readonly kind: "sum"; readonly parts: readonly SumBlocks[] }
  /** Of a source or an expert rank: its rows, and what it was told of the splits. */
  | {
      readonly kind: "experts";
      readonly rows: Float64Array;
      /** Sources: rows per expert, before and after the dispatch. */
      readonly counts?: Uint32Array;
      readonly kept?: Uint32Array;
      /** Expert ranks: the first row of each of their experts. */
      readonly offsets?: Uint32Array;
    };

/** One rank's part in one collective. */
export interface TransferEvidence {
  readonly channel: number;
  readonly microBatch: number;
  readonly rank: number;
  readonly sent?: Evidence;
  readonly received?: Evidence;
}

/** A run of elements of a buffer. */
interface Part {
  readonly start: number;
  readonly count: number;
}

export interface TransferWitness {
  /** To be called before the collective runs. Undefined where the rank sends nothing. */
  sent(transfer: Collective): Promise<Evidence | undefined>;
  /** To be called when it is over. */
  received(transfer: Collective): Promise<Evidence | undefined>;
}

export function createTransferWitness(view: CheckView): TransferWitness {
  const pace = createPace(view.pause);
  /** Rows that this rank's experts received, by dispatch. */
  const held = new Map<string, number>();
  return {
    async sent(transfer) {
      if (transfer.send === undefined) return undefined;
      if (transfer.op === "expert-dispatch") return sentRows(view, transfer, pace);
      if (transfer.op === "expert-combine") {
        const key = keyOf(transfer.dispatch, transfer);
        const rows = await rowHashes(view, transfer, transfer.send, held.get(key) ?? 0, pace);
        return { kind: "experts", rows };
      }
      const parts = sentParts(transfer, view.rank);
      return adds(transfer)
        ? { kind: "sum", parts: await sumsOf(view, transfer.send, parts, transfer.dtype, pace) }
        : { kind: "moved", hashes: await hashesOf(view, transfer.send, parts, transfer.dtype) };
    },
    async received(transfer) {
      if (transfer.op === "expert-dispatch") {
        const evidence = await receivedRows(view, transfer, pace);
        held.set(keyOf(transfer.channel, transfer), evidence?.rows.length ?? 0);
        return evidence;
      }
      if (transfer.receive === undefined) return undefined;
      if (transfer.op === "expert-combine") {
        const { bytesOf } = view;
        const all = bytesOf(transfer.receive) / rowBytesOf(transfer);
        return {
          kind: "experts",
          rows: await rowHashes(view, transfer, transfer.receive, all, pace),
        };
      }
      const parts = receivedParts(transfer, view.rank);
      return adds(transfer)
        ? { kind: "sum", parts: await sumsOf(view, transfer.receive, parts, transfer.dtype, pace) }
        : { kind: "moved", hashes: await hashesOf(view, transfer.receive, parts, transfer.dtype) };
    },
  };
}

function keyOf(channel: number, { origin }: Collective): string {
  return `${channel} ${origin.microBatch}`;
}

type Sized = Exclude<Collective, ExpertDispatch | ExpertCombine>;

function adds({ op }: Collective): boolean {
  return op === "all-reduce" || op === "reduce" || op === "reduce-scatter";
}

function partsOf(counts: readonly number[]): Part[] {
  const starts = startsOf(counts);
  return counts.map((count, i) => ({ start: starts[i] ?? 0, count }));
}

/** As `Collective` defines each, and by nothing else: what runs them is what is checked. */
function sentParts(transfer: Sized, rank: number): Part[] {
  const i = transfer.from.indexOf(rank);
  switch (transfer.op) {
    case "all-gather":
    case "gather":
      return [{ start: 0, count: transfer.counts[i] ?? 0 }];
    case "all-to-all":
      return partsOf(transfer.counts[i] ?? []);
    case "reduce-scatter":
    case "scatter":
      return partsOf(transfer.counts);
    default:
      return [{ start: 0, count: transfer.count }];
  }
}

function receivedParts(transfer: Sized, rank: number): Part[] {
  const j = transfer.to.indexOf(rank);
  switch (transfer.op) {
    case "all-gather":
    case "gather":
      return partsOf(transfer.counts);
    case "all-to-all":
      return partsOf(transfer.counts.map((row) => row[j] ?? 0));
    case "reduce-scatter":
    case "scatter":
      return [{ start: 0, count: transfer.counts[j] ?? 0 }];
    default:
      return [{ start: 0, count: transfer.count }];
  }
}

async function hashesOf(
  { read }: CheckView,
  buffer: string,
  parts: readonly Part[],
  dtype: StorageType,
): Promise<number[]> {
  const size = bytesPerElement(dtype);
  const hashes: number[] = [];
  for (const { start, count } of parts) {
    hashes.push(hashOf(await read(buffer, agreedRanges(start * size, count * size))));
  }
  return hashes;
}

const blockElements = 2 ** 10;
/** Of one part; of longer ones as many, from its first to its last. */
const mostBlocks = 2 ** 12;

/** Away from 0, of both signs, the same everywhere. */
const blockVector = Float64Array.from({ length: blockElements }, (_, i) => {
  const hash = Math.imul(i + 1, 0x9e37_79b1) >>> 0;
  return (0.5 + (hash & 0xffff) / 2 ** 16) * (hash >>> 31 === 0 ? 1 : -1);
});

async function sumsOf(
  { read }: CheckView,
  buffer: string,
  parts: readonly Part[],
  dtype: StorageType,
  pace: Pace,
): Promise<SumBlocks[]> {
  const sums: SumBlocks[] = [];
  for (const part of parts) {
    const blocks = blocksOf(part.count);
    const size = bytesPerElement(dtype);
    const ranges = blocks.map(({ start, count }) => ({
      offset: (part.start + start) * size,
      bytes: count * size,
    }));
    const values = await decodeStorage(await read(buffer, ranges), dtype, pace);
    const products = new Float64Array(blocks.length);
    const squares = new Float64Array(blocks.length);
    const samples = new Float64Array(blocks.length);
    let at = 0;
    for (const [b, { count }] of blocks.entries()) {
      for (let i = 0; i < count; i++) {
        const value = values[at + i] ?? Number.NaN;
        products[b] = (products[b] ?? 0) + value * (blockVector[i] ?? 0);
        squares[b] = (squares[b] ?? 0) + value * value;
      }
      samples[b] = values[at + ((37 * b) % count)] ?? Number.NaN;
      at += count;
      await pace(2 * count);
    }
    sums.push({ products, squares, samples, elements: Math.min(part.count, blockElements) });
  }
  return sums;
}

function blocksOf(elements: number): Part[] {
  const all = Math.ceil(elements / blockElements);
  const count = Math.min(all, mostBlocks);
  return Array.from({ length: count }, (_, i) => {
    const block = count === all ? i : Math.floor((i * (all - 1)) / (count - 1));
    const start = block * blockElements;
    return { start, count: Math.min(blockElements, elements - start) };
  });
}

function rowBytesOf({ rowElements, dtype }: ExpertDispatch | ExpertCombine): number {
  return rowElements * bytesPerElement(dtype);
}

/** Rows that are read at once. */
const rowsAtOnce = 2 ** 26;

/** Of every row: where it comes out, is up to the router. */
async function rowHashes(
  { read }: CheckView,
  transfer: ExpertDispatch | ExpertCombine,
  buffer: string,
  rows: number,
  pace: Pace,
): Promise<Float64Array> {
  const rowBytes = rowBytesOf(transfer);
  const hashes = new Float64Array(rows);
  const step = Math.max(1, Math.floor(rowsAtOnce / rowBytes));
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first);
    const bytes = await read(buffer, [{ offset: first * rowBytes, bytes: count * rowBytes }]);
    for (let row = 0; row < count; row++) {
      hashes[first + row] = hashOf(bytes.subarray(row * rowBytes, (row + 1) * rowBytes));
      await pace(rowBytes / 4);
    }
  }
  return hashes;
}

async function wordsIn(view: CheckView, buffer: string): Promise<Uint32Array> {
  return new Uint32Array((await readAll(view, buffer)).buffer);
}

async function sentRows(
  view: CheckView,
  transfer: ExpertDispatch,
  pace: Pace,
): Promise<Evidence | undefined> {
  const { send, counts } = transfer;
  if (send === undefined || counts === undefined) return undefined;
  const perExpert = await wordsIn(view, counts);
  const all = perExpert.reduce((sum, count) => sum + count, 0);
  const rows = await rowHashes(view, transfer, send, all, pace);
  return { kind: "experts", rows, counts: perExpert };
}

async function receivedRows(view: CheckView, transfer: ExpertDispatch, pace: Pace) {
  const { receive, offsets, kept } = transfer;
  const own = kept === undefined ? {} : { kept: await wordsIn(view, kept) };
  if (receive === undefined || offsets === undefined) {
    return kept === undefined
      ? undefined
      : ({ kind: "experts", rows: new Float64Array(), ...own } as const);
  }
  const firsts = await wordsIn(view, offsets);
  const room = view.bytesOf(receive) / rowBytesOf(transfer);
  const count = Math.min(room, firsts.at(-1) ?? 0);
  const rows = await rowHashes(view, transfer, receive, count, pace);
  return { kind: "experts", rows, offsets: firsts, ...own } as const;
}
