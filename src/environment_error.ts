export type EnvironmentCode =
  | "no-adapter"
  | "unknown-adapter"
  | "adapter-too-old"
  | "buffer-over-limit"
  | "out-of-memory"
  /** However small the plan is made. */
  | "does-not-fit"
  | "missing-feature"
  | "device-lost"
  | "rank-died"
  | "rank-hung"
  | "cannot-pin"
  /** The launcher started another number of processes than the plan has GPUs. */
  | "cannot-place"
  | "contradicts-itself"
  | "no-shared-memory"
  | "file-not-readable"
  | "file-not-writable"
  /** It is no longer what a run wrote, or not the result of that plan. */
  | "result-refused"
  /** No safetensors, or not the weights of that plan. */
  | "weights-refused"
  /** No file of token ids, or not of the plan's. */
  | "data-refused"
  /** No rule says how it is to be spread over more GPUs. */
  | "not-scaled"
  /** Its steps are no single program that others could take turns with. */
  | "not-ablated"
  /** How its work is spread is no choice of degrees or stages. */
  | "not-searched"
  /** The plan names no optimizer. */
  | "not-trained"
  | "interrupted";

/** An error of the machine, not of the plan and not of our code. Exit code 2. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
  readonly code: EnvironmentCode;
  /** The way out. */
  readonly hint: string;

  constructor(code: EnvironmentCode, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}
