// What was held against what before anything was timed, as a result file keeps it.

export interface CheckOutcome {
  /** What the whole result was held against: the f64 reference, or the unsharded run. */
  readonly method: "oracle" | "unsharded+freivalds";
  /** Largest relative error. */
  readonly error: number;
  /** The error that is still accepted. */
  readonly tolerance: number;
  /** What was held against what, in a phrase. */
  readonly compared: string;
  /** How many values were compared. */
  readonly values: number;
  /** Expert choices that agree with the reference; absent without experts. */
  readonly routing?: { readonly agreeing: number; readonly total: number };
  /** Every instruction of every rank, held against its operands of this run; by kind. All of them were right. */
  readonly kinds: readonly CheckedKind[];
  /** Of a step of training. */
  readonly training?: CheckedTraining;
  /** What was not held against anything, in phrases. */
  readonly notChecked: readonly string[];
  /** Steps that were timed or ran as timed ones do, and left what was checked; absent where none were. */
  readonly timed?: { readonly steps: number; readonly microBatches: number };
}

/** What the checked step of training made of the first weights. */
export interface CheckedTraining {
  /** Mean over the batch. */
  readonly loss: number;
  /** Of the loss, relative. */
  readonly lossError: number;
  /** Of all gradients together, before they are clipped. */
  readonly gradientNorm: number;
  /** Of gradients: the largest difference within a weight's over its largest value, and whose it is. */
  readonly error: number;
  readonly weight: string;
  readonly tolerance: number;
  /** How many elements of gradients were compared. */
  readonly values: number;
}

/** How much was checked of one kind of instruction. */
export interface CheckedKind {
  /** A kernel, a collective, `copy`, `input` or `weights`. */
  readonly kind: string;
  /** Checked, and in all. */
  readonly calls: number;
  readonly allCalls: number;
  /** What is counted, of those calls: "rows", "elements", … */
  readonly unit: string;
  readonly checked: number;
  readonly total: number;
  /** Largest error in shares of what its error model accepts, at most 1. */
  readonly worst: number;
}
