// What one position of a pipeline does, as pure data: slots in order, each the forward or backward pass of
// one micro-batch through one of its chunks of layers.

export interface Slot {
  readonly phase: "forward" | "backward";
  readonly microBatch: number;
  /** Of the position's virtual stages; 0 where it has one. */
  readonly chunk: number;
}

/** The size of a schedule. */
export interface Extent {
  /** p: positions of the pipeline. */
  readonly positions: number;
  /** v: chunks of layers per position. */
  readonly virtualStages: number;
  /** m */
  readonly microBatches: number;
}

/**
 * Forward slots of any position: micro-batches in groups of p, each group through one chunk after the other,
 * so that a group's first is back from the last position when its last has left the first.
 */
export const forwardSlots = ({ positions, virtualStages, microBatches }: Extent): Slot[] => {
  const slots: Slot[] = [];
  const group = virtualStages === 1 ? microBatches : positions;
  for (let first = 0; first < microBatches; first += group) {
    const end = Math.min(first + group, microBatches);
    for (let chunk = 0; chunk < virtualStages; chunk++) {
      for (let microBatch = first; microBatch < end; microBatch++) {
        slots.push({ phase: "forward", microBatch, chunk });
      }
    }
  }
  return slots;
};

/** The same with the last chunk first. */
export const backwardSlots = (extent: Extent): Slot[] =>
  forwardSlots(extent).map(({ microBatch, chunk }) => ({
    phase: "backward",
    microBatch,
    chunk: extent.virtualStages - 1 - chunk,
  }));
