// How the bytes of a collective travel: cut into chunks, so that one can be read back while another moves
// and a third is written, through buffers that do not grow with the message.

import { type Piece, bytesOfPieces } from "./pieces.ts";

/**
 * Most bytes of a chunk. Dawn writes up to 1 MiB through memory that it uses again and again; beyond that
 * it takes fresh pages every time, at a seventh of the speed on both software adapters.
 */
export const chunkBytes = 2 ** 20;

/** Mappable buffers of a rank: one is copied to, one is read, one is on its way between. */
const stagingCount = 3;

/**
 * Of each of several messages that leave beside the rank's kernels: a chunk that finds no buffer is copied after the
 * kernels that the GPU was given since.
 */
const besideCount = 8;

/**
 * Bytes of each staging buffer of a rank.
 *
 * @param longest bytes of the largest message by slot; messages in different slots are under way at the same time
 */
export function stagingSizes(longest: readonly number[]): number[] {
  const most = longest.length > 1 ? besideCount : stagingCount;
  const size = wordsUp(Math.min(Math.max(0, ...longest), chunkBytes));
  return longest.flatMap((bytes) =>
    Array.from({ length: Math.min(most, Math.ceil(bytes / chunkBytes)) }, () => size),
  );
}

/** A multiple of this many bytes can be bound on every adapter. */
export const bindingUnit = 256;

/** Who sends what to whom, over one lane of a channel. */
export interface Exchange {
  /** For messages to humans. */
  readonly name: string;
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Every reader gets the same pieces, so they leave once. */
  readonly same: boolean;
  /** What member i of `from` sends to member j of `to`. */
  readonly pieces: (i: number, j: number) => readonly Piece[];
}

/** A run of bytes within a chunk. GPUs copy whole words, so it travels with the words that enclose it. */
export interface ChunkSegment {
  readonly readers: readonly number[];
  readonly chunkOffset: number;
  /** Where the enclosing words begin, and their bytes. */
  readonly sourceOffset: number;
  readonly words: number;
  /** Bytes of the first word that do not belong to it. */
  readonly head: number;
  readonly targetOffset: number;
  readonly bytes: number;
}

export interface Chunk {
  readonly bytes: number;
  readonly segments: readonly ChunkSegment[];
}

/** Whether its words can be written as they are. */
export function isWordAligned({ head, targetOffset, bytes }: ChunkSegment): boolean {
  return head === 0 && targetOffset % 4 === 0 && bytes % 4 === 0;
}

export function wordsUp(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

/** Pieces that leave together, for the same readers. */
interface Part {
  readonly readers: readonly number[];
  readonly pieces: readonly Piece[];
}

/** What leaves member i of `from`, in order; the same on the rank that sends and on those that read. */
export function chunksOf(exchange: Exchange, i: number): Chunk[] {
  return packed(partsOf(exchange, i));
}

/** The parts one after the other, as few chunks as a piece that does not fit leaves possible. */
export function packed(parts: readonly Part[]): Chunk[] {
  const packer = createPacker();
  for (const { readers, pieces } of parts) {
    for (const piece of pieces) packer.add(piece, readers);
  }
  return packer.chunks();
}

/** A piece by itself: the same cuts as in a message, where a piece that does not fit begins a chunk. */
export function pieceSegments(piece: Piece): ChunkSegment[] {
  return packed([{ readers: [], pieces: [piece] }]).flatMap(({ segments }) => segments);
}

function partsOf({ from, to, same, pieces }: Exchange, i: number): Part[] {
  const [rank = -1] = from.slice(i, i + 1);
  if (!same) {
    return inTurn(to, rank, i)
      .map(({ reader, j }) => ({ readers: [reader], pieces: pieces(i, j) }))
      .filter((part) => bytesOfPieces(part.pieces) > 0);
  }
  const readers = to.filter((reader) => reader !== rank);
  const first = to.findIndex((reader) => reader !== rank);
  return first < 0 ? [] : [{ readers, pieces: pieces(i, first) }];
}

/** All readers but the rank, with their places; members begin with different ones, lest all write to the same at once. */
export function inTurn(
  to: readonly number[],
  rank: number,
  i: number,
): { readonly reader: number; readonly j: number }[] {
  const others = to.flatMap((reader, j) => (reader === rank ? [] : [{ reader, j }]));
  const first = others.length === 0 ? 0 : i % others.length;
  return [...others.slice(first), ...others.slice(0, first)];
}

function createPacker() {
  const chunks: Chunk[] = [];
  let segments: ChunkSegment[] = [];
  let filled = 0;
  const close = (): void => {
    if (segments.length > 0) chunks.push({ bytes: filled, segments });
    segments = [];
    filled = 0;
  };
  return {
    add({ sourceOffset, targetOffset, bytes }: Piece, readers: readonly number[]): void {
      if (bytes === 0) return;
      const before = sourceOffset % 4;
      const length = wordsUp(before + bytes);
      if (filled + length > chunkBytes) close();
      for (let done = 0; done < length;) {
        const words = Math.min(chunkBytes - filled, length - done);
        const head = done === 0 ? before : 0;
        const exact = done + head - before;
        segments.push({
          readers,
          chunkOffset: filled,
          sourceOffset: sourceOffset - before + done,
          words,
          head,
          targetOffset: targetOffset + exact,
          bytes: Math.min(words - head, bytes - exact),
        });
        filled += words;
        done += words;
        if (filled === chunkBytes) close();
      }
    },
    chunks(): Chunk[] {
      close();
      return chunks;
    },
  };
}
