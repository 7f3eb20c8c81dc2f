/** The numbers of a run disagree with the reference; nothing was timed. Exit code 4. */
export class NumericsError extends Error {
  override readonly name = "NumericsError";
  /** Largest relative error that was seen. */
  readonly error: number;
  readonly tolerance: number;

  constructor(message: string, error: number, tolerance: number) {
    super(message);
    this.error = error;
    this.tolerance = tolerance;
  }
}
