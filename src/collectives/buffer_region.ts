// Where something lies on a GPU.

/** All of a GPU buffer, or a window of one. In bytes. */
export interface BufferRegion {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
  /** Of some columns: of each row so many bytes, and so many from one to the next. Absent: all bytes. */
  readonly rows?: { readonly bytes: number; readonly pitch: number };
}

/** What is its own, without what lies between its rows. */
export function piecesOf(region: BufferRegion): readonly BufferRegion[] {
  const { buffer, offset, size, rows } = region;
  if (rows === undefined) return [region];
  return Array.from({ length: Math.ceil(size / rows.pitch) }, (_, row) => ({
    buffer,
    offset: offset + row * rows.pitch,
    size: rows.bytes,
  }));
}
