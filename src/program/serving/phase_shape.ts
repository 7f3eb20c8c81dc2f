// How many rows the steps of a phase of serving have, and whose.

/** Steps of one phase of serving. */
export interface PhaseShape {
  /** Requests of a step, and rows that each of them has. */
  readonly slots: number;
  readonly slotRows: number;
  readonly microBatches: number;
  /** Of one micro-batch. */
  readonly output: { readonly rows: number; readonly columns: number };
}
