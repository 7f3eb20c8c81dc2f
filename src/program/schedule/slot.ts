// What one pipeline rank does, as pure data: slots in order, each the forward or backward pass of
// one micro-batch through one of its chunks of layers.

export interface Slot {
  readonly phase: "forward" | "backward";
  readonly microBatch: number;
  /** Of the pipeline rank's virtual stages; 0 where it has one. */
  readonly chunk: number;
}

/** The size of a schedule. */
export interface Extent {
  /** p: pipeline ranks. */
  readonly pipelineSize: number;
  /** v: chunks of layers per pipeline rank. */
  readonly virtualStages: number;
  /** m */
  readonly microBatches: number;
}

/**
 * Forward slots of any pipeline rank: micro-batches in groups of p, each group through one chunk after the
 * other, so that a group's first is back from the last pipeline rank when its last has left the first.
 */
export function forwardSlots({ pipelineSize, virtualStages, microBatches }: Extent): Slot[] {
  const slots: Slot[] = [];
  const group = virtualStages === 1 ? microBatches : pipelineSize;
  for (let first = 0; first < microBatches; first += group) {
    const end = Math.min(first + group, microBatches);
    for (let chunk = 0; chunk < virtualStages; chunk++) {
      for (let microBatch = first; microBatch < end; microBatch++) {
        slots.push({ phase: "forward", microBatch, chunk });
      }
    }
  }
  return slots;
}

/** The same with the last chunk first. */
export function backwardSlots(extent: Extent): Slot[] {
  return forwardSlots(extent).map(({ microBatch, chunk }) => ({
    phase: "backward",
    microBatch,
    chunk: extent.virtualStages - 1 - chunk,
  }));
}
