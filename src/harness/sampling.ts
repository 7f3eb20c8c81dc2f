// How many steps to time: warm-up first, then samples until there are enough or the time is up.

export interface SamplingOptions {
  /** Steps that are run and not counted. Default: two, and as many as fit into a second. */
  readonly warmup?: number;
  /** Exact number of samples; absent: as many as `budgetMs` allows, between `least` and `most`. */
  readonly samples?: number;
  readonly budgetMs: number;
  /** Called before each sample with the share of the sampling that is done, 0 … 1; the time it takes is not the samples'. */
  readonly between?: (share: number) => Promise<void>;
}

/** The JavaScript of ranks is compiled meanwhile, which takes some hundred short steps. */
const usual = { steps: 2, ms: 1000 };
/** Enough for a median with an interval. */
const least = 5;
/** More would only grow the result file. */
const most = 1000;

/** @param warmup how many steps. Default: two, and as many as fit into a second */
export const warmUp = async (
  step: () => Promise<unknown>,
  warmup: number | undefined,
  clock: () => number = performance.now.bind(performance),
): Promise<void> => {
  const begun = clock();
  const { steps, ms } = warmup === undefined ? usual : { steps: warmup, ms: 0 };
  for (let i = 0; i < steps || clock() - begun < ms; i++) await step();
};

/** Calls `step` and keeps what it returns, warm-up left out. */
export const sample = async <Result>(
  step: () => Promise<Result>,
  options: SamplingOptions,
  onSample: (result: Result, done: number) => void,
  clock: () => number = performance.now.bind(performance),
): Promise<void> => {
  await warmUp(step, options.warmup, clock);
  const start = clock();
  let pausedMs = 0;
  for (let done = 0; ; done++) {
    const before = clock();
    const elapsedMs = before - start - pausedMs;
    if (!isWanted(done, elapsedMs, options)) return;
    if (options.between !== undefined) {
      await options.between(Math.min(1, shareOf(done, elapsedMs, options)));
      pausedMs += clock() - before;
    }
    onSample(await step(), done + 1);
  }
};

const shareOf = (done: number, elapsedMs: number, { samples, budgetMs }: SamplingOptions): number =>
  samples === undefined ? elapsedMs / budgetMs : done / samples;

const isWanted = (done: number, elapsedMs: number, options: SamplingOptions): boolean => {
  if (options.samples !== undefined) return done < options.samples;
  return done < least || (done < most && elapsedMs < options.budgetMs);
};
