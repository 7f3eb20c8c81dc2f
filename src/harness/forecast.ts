// What is to be said of a run while its steps are timed: their median so far, and how long it still takes. Looked at some
// times a second and not after each step, which may be shorter than the look.

import { median } from "../measure/statistics.ts";
import type { Progress } from "./run_options.ts";

export interface Forecast {
  /** The first step begins. */
  begin(): void;
  /** @param wallMs of a step */
  took(wallMs: number): void;
  /** Whether it is time to say something again; asking counts as saying. */
  isDue(): boolean;
  /** @param done steps */
  at(done: number): Pick<Progress, "medianMs" | "leftMs">;
}

const betweenMs = 200;

/**
 * @param options of the sampling: a number of samples, else a time
 * @param now ms
 */
export function createForecast(
  { budgetMs, samples }: { readonly budgetMs: number; readonly samples: number | undefined },
  now: () => number = performance.now.bind(performance),
): Forecast {
  const walls: number[] = [];
  let begun = now();
  let said = begun;
  return {
    begin() {
      begun = now();
      said = begun;
    },
    took(wallMs) {
      walls.push(wallMs);
    },
    isDue() {
      const at = now();
      if (at - said < betweenMs) return false;
      said = at;
      return true;
    },
    at(done) {
      if (walls.length === 0) return {};
      const spent = now() - begun;
      const left = samples === undefined ? budgetMs - spent : (samples - done) * (spent / done);
      return { medianMs: median(walls), leftMs: Math.max(0, left) };
    },
  };
}
