// How many steps to time: warm-up first, then samples until there are enough or the time is up.

export interface SamplingOptions {
  /** Steps that are run and not counted. Default: one, and as many as fit into a second; none after `warmMs` of one. */
  readonly warmup?: number;
  /** ms of steps that were run before, on kernels that are the same since. Default: 0. */
  readonly warmMs?: number;
  /** Exact number of samples; absent: as many as `budgetMs` allows, between `least` and `most`. */
  readonly samples?: number;
  readonly budgetMs: number;
  /** Called when warm-up is over. */
  readonly onWarm?: () => void;
  /** Called before each sample with the share of the sampling that is done, 0 … 1; the time it takes is not the samples'. */
  readonly between?: (share: number) => Promise<void>;
}

/** The JavaScript of ranks is compiled meanwhile, which takes some hundred short steps; all else was by the check. */
const usualMs = 1000;
/** Enough for a median with an interval. */
const least = 5;
/** More would only grow the result file. */
const most = 1000;

/** As `SamplingOptions` says. */
export async function warmUp(
  step: () => Promise<unknown>,
  { warmup, warmMs = 0 }: Pick<SamplingOptions, "warmup" | "warmMs">,
  clock: () => number = performance.now.bind(performance),
): Promise<void> {
  if (warmup !== undefined) {
    for (let i = 0; i < warmup; i++) await step();
    return;
  }
  const begun = clock() - warmMs;
  while (clock() - begun < usualMs) await step();
}

/** As many short steps are asked for at once as take about that long: less than anybody waits for, or minds to lose. */
const batchMs = 50;
const mostAtOnce = 100;

/** Takes steps and gives what comes of them, warm-up left out. @param steps takes so many in a row */
export async function sample<Result>(
  steps: (count: number) => Promise<readonly Result[]>,
  options: SamplingOptions,
  onSample: (result: Result, done: number) => void,
  clock: () => number = performance.now.bind(performance),
): Promise<void> {
  await warmUp(async () => steps(1), options, clock);
  options.onWarm?.();
  const start = clock();
  let pausedMs = 0;
  let done = 0;
  for (;;) {
    const before = clock();
    const elapsedMs = before - start - pausedMs;
    const wanted = wantedOf(done, elapsedMs, options);
    if (wanted === 0) return;
    if (options.between !== undefined) {
      await options.between(Math.min(1, shareOf(done, elapsedMs, options)));
      pausedMs += clock() - before;
    }
    // What is done between two steps has its turn after each.
    const together = options.between === undefined ? atOnce(done, elapsedMs) : 1;
    for (const result of await steps(Math.min(wanted, together))) onSample(result, ++done);
  }
}

/** By what steps took so far. */
function atOnce(done: number, elapsedMs: number): number {
  return done === 0
    ? 1
    : Math.max(1, Math.min(mostAtOnce, Math.floor((batchMs * done) / elapsedMs)));
}

function shareOf(done: number, elapsedMs: number, { samples, budgetMs }: SamplingOptions): number {
  return samples === undefined ? elapsedMs / budgetMs : done / samples;
}

/** How many more, as far as is known by now. */
function wantedOf(done: number, elapsedMs: number, options: SamplingOptions): number {
  if (options.samples !== undefined) return options.samples - done;
  if (done < least) return least - done;
  return elapsedMs < options.budgetMs ? most - done : 0;
}
