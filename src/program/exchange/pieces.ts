// Which bytes go from which member of `from` to which member of `to`.

/** A contiguous run of bytes and its places in the buffers it leaves and enters. */
export interface Piece {
  readonly sourceOffset: number;
  readonly targetOffset: number;
  readonly bytes: number;
}

/** Start of each part when parts lie side by side. */
export function starts(sizes: readonly number[]): number[] {
  let next = 0;
  return sizes.map((size) => {
    const start = next;
    next += size;
    return start;
  });
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function bytesOfPieces(pieces: readonly Piece[]): number {
  return sum(pieces.map(({ bytes }) => bytes));
}

/** Drops empty pieces and joins those that are contiguous on both sides. */
export function joinPieces(pieces: readonly Piece[]): Piece[] {
  const runs: Piece[] = [];
  for (const piece of pieces) {
    if (piece.bytes === 0) continue;
    const last = runs.at(-1);
    if (
      last !== undefined &&
      last.sourceOffset + last.bytes === piece.sourceOffset &&
      last.targetOffset + last.bytes === piece.targetOffset
    ) {
      runs[runs.length - 1] = { ...last, bytes: last.bytes + piece.bytes };
    } else {
      runs.push(piece);
    }
  }
  return runs;
}
