// How the bytes of a collective travel: cut into chunks, so that one can be read back while another moves
// and a third is written, through buffers that do not grow with the message.

import { type Piece, bytesOf } from "./pieces.ts";

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

/** Who gives what to whom, over one lane of a channel. */
export interface Exchange {
  /** For messages to humans. */
  readonly name: string;
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Every reader gets the same pieces, so they leave once. */
  readonly same: boolean;
  /** What member i of `from` gives to member j of `to`. */
  readonly pieces: (i: number, j: number) => readonly Piece[];
}

/** A run of bytes within a chunk. GPUs copy whole words, so it travels with the words that enclose it. */
export interface Take {
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
  readonly takes: readonly Take[];
}

/** Whether its words can be written as they are. */
export const isWhole = ({ head, targetOffset, bytes }: Take): boolean =>
  head === 0 && targetOffset % 4 === 0 && bytes % 4 === 0;

export const wordsUp = (bytes: number): number => Math.ceil(bytes / 4) * 4;

/** What leaves member i of `from`, in order; the same on the rank that sends and on those that read. */
export function chunksOf(exchange: Exchange, i: number): Chunk[] {
  const packer = createPacker();
  for (const { readers, pieces } of partsOf(exchange, i)) {
    for (const piece of pieces) packer.add(piece, readers);
  }
  return packer.chunks();
}

/** A piece by itself: the same cuts as in a message, where a piece that does not fit begins a chunk. */
export function blocksOf(piece: Piece): Take[] {
  const packer = createPacker();
  packer.add(piece, []);
  return packer.chunks().flatMap(({ takes }) => takes);
}

/** Members begin with different readers, so that not all write to the same one at once. */
function partsOf(
  { from, to, same, pieces }: Exchange,
  i: number,
): { readers: readonly number[]; pieces: readonly Piece[] }[] {
  const away = to.flatMap((reader, j) => (reader === from[i] ? [] : [{ reader, j }]));
  const [first] = away;
  if (first === undefined) return [];
  if (same) return [{ readers: away.map(({ reader }) => reader), pieces: pieces(i, first.j) }];
  const turn = i % away.length;
  return [...away.slice(turn), ...away.slice(0, turn)]
    .map(({ reader, j }) => ({ readers: [reader], pieces: pieces(i, j) }))
    .filter((part) => bytesOf(part.pieces) > 0);
}

function createPacker() {
  const chunks: Chunk[] = [];
  let takes: Take[] = [];
  let filled = 0;
  const close = (): void => {
    if (takes.length > 0) chunks.push({ bytes: filled, takes });
    takes = [];
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
        takes.push({
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
