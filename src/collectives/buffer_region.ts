// Where something lies on a GPU.

/** All of a GPU buffer, or a window of one. In bytes. */
export interface BufferRegion {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}
