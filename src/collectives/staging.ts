// The mappable buffers of a rank, lent chunk by chunk to whatever collectives are under way.

export interface StagingPool {
  /**
   * The first free buffer of at least that size. Whoever has one needs nothing but this rank's own GPU to
   * be done with it, so none waits for another rank here. Undefined where none is large enough.
   */
  take(bytes: number): Promise<GPUBuffer> | undefined;
  /** Undefined where none is free. */
  tryTake(bytes: number): GPUBuffer | undefined;
  giveBack(buffer: GPUBuffer): void;
}

export function createStagingPool(buffers: readonly GPUBuffer[]): StagingPool {
  const free = new Set(buffers);
  let waiting: { readonly bytes: number; readonly resolve: (buffer: GPUBuffer) => void }[] = [];
  const tryTake = (bytes: number): GPUBuffer | undefined => {
    for (const buffer of free) {
      if (buffer.size < bytes) continue;
      free.delete(buffer);
      return buffer;
    }
  };
  return {
    take(bytes) {
      if (!buffers.some(({ size }) => size >= bytes)) return undefined;
      const found = tryTake(bytes);
      if (found !== undefined) return Promise.resolve(found);
      return new Promise((resolve) => waiting.push({ bytes, resolve }));
    },
    tryTake,
    giveBack(buffer) {
      const next = waiting.find(({ bytes }) => buffer.size >= bytes);
      if (next === undefined) {
        free.add(buffer);
        return;
      }
      waiting = waiting.filter((one) => one !== next);
      next.resolve(buffer);
    },
  };
}
