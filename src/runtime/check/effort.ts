// How much a check looks at. Whatever the plan's size, numbers are fixed, but for Freivalds' check, which reads every
// operand of a product once.

export interface Effort {
  readonly microBatches: "all" | "first and last";
  /** Elements of one tensor whose rows are made again, at most. */
  readonly rowElements: number;
  /** Multiply-adds of the rows and heads of one attention that are made again, at most. */
  readonly attentionWork: number;
  /** Elements of weights that one product is projected with, at most; what is left out are whole experts. */
  readonly weightElements: number;
  /** Rows of a part of a product in which some elements are made again. */
  readonly productRows: number;
  /** Elements whose activation, gate or residual is held against the product by itself; 0: it is not computed anew. */
  readonly finishedElements: number;
  /** Words of a result that are looked at for what was never written. */
  readonly scannedWords: number;
  /** Elements of all weights of a rank that are made again from their seed, at most; of more, so many of each. */
  readonly contentElements: number;
  readonly contentSample: number;
}

/** Where nothing else sees every number. */
export const thorough: Effort = {
  microBatches: "all",
  rowElements: 2 ** 19,
  attentionWork: 2 ** 22,
  weightElements: Infinity,
  productRows: 16,
  finishedElements: 2 ** 21,
  scannedWords: 2 ** 24,
  contentElements: 2 ** 24,
  contentSample: 2 ** 14,
};

/** Beside the reference, which judges what comes of all. */
export const brief: Effort = {
  microBatches: "first and last",
  rowElements: 2 ** 14,
  attentionWork: 2 ** 20,
  weightElements: 2 ** 19,
  productRows: 16,
  finishedElements: 0,
  scannedWords: 0,
  contentElements: 2 ** 16,
  contentSample: 2 ** 12,
};
