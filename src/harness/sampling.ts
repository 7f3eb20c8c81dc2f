// How many steps to time: warm-up first, then samples until there are enough or the time is up.

export interface SamplingOptions {
  /** Steps that are run and not counted. */
  readonly warmup: number;
  /** Exact number of samples; absent: as many as `budgetMs` allows, between `least` and `most`. */
  readonly samples?: number;
  readonly budgetMs: number;
}

/** Enough for a median with an interval. */
const least = 5;
/** More would only grow the result file. */
const most = 1000;

/** Calls `step` and keeps what it returns, warm-up left out. */
export const sample = async <Result>(
  step: () => Promise<Result>,
  options: SamplingOptions,
  onSample: (result: Result, done: number) => void,
  clock: () => number = performance.now.bind(performance),
): Promise<void> => {
  for (let i = 0; i < options.warmup; i++) await step();
  const start = clock();
  for (let done = 0; isWanted(done, clock() - start, options);) {
    const result = await step();
    onSample(result, ++done);
  }
};

const isWanted = (done: number, elapsedMs: number, options: SamplingOptions): boolean => {
  if (options.samples !== undefined) return done < options.samples;
  return done < least || (done < most && elapsedMs < options.budgetMs);
};
