// What tuning found out about one call on one adapter. Plain data: it crosses processes and goes to the cache.

export interface TunedCall {
  /** `callKey`. */
  readonly call: string;
  /** `classKey`. */
  readonly class: string;
  /** Key of the form to take. */
  readonly chosen: string;
  /** How many forms there were to choose from. */
  readonly forms: number;
  /** Whether nothing is left to be tried: what was not tried lost at another shape of the class. */
  readonly complete: boolean;
  readonly tried: readonly TriedForm[];
}

export type TriedForm =
  | {
      readonly form: string;
      /** Of one dispatch; median. */
      readonly ms: number;
      /**
       * How many times as fast as the form that is taken untuned, or as the kernel's own where that is
       * excluded; median of rounds side by side.
       */
      readonly speedup: number;
    }
  | {
      readonly form: string;
      /** Why it must not be taken, in a phrase. */
      readonly excluded: string;
    };

export const isExcluded = (tried: TriedForm): tried is Extract<TriedForm, { excluded: string }> =>
  "excluded" in tried;

/** Later findings replace earlier ones of the same call. */
export const mergeTuned = (...lists: readonly (readonly TunedCall[])[]): TunedCall[] => [
  ...new Map(lists.flat().map((tuned) => [tuned.call, tuned])).values(),
];
