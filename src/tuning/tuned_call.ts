// What tuning found out about one call on one adapter. Plain data: it crosses processes and goes to the cache.

export interface TunedCall {
  /** `callKey`. */
  readonly call: string;
  /** `classKey`. */
  readonly class: string;
  /** Key of the selected variant. */
  readonly chosen: string;
  /** How many variants there were to choose from. */
  readonly variants: number;
  /** Whether nothing is left to be tried: what was not tried lost at another shape of the class. */
  readonly complete: boolean;
  readonly tried: readonly TriedVariant[];
}

export type TriedVariant =
  | {
      readonly variant: string;
      /** Of one dispatch; median. */
      readonly ms: number;
      /**
       * How many times as fast as the variant that is selected untuned, or as the kernel's own where that is
       * excluded; median of rounds side by side.
       */
      readonly speedup: number;
    }
  | {
      readonly variant: string;
      /** Why it must not be selected, in a phrase. */
      readonly excluded: string;
    };

export function isExcluded(
  tried: TriedVariant,
): tried is Extract<TriedVariant, { excluded: string }> {
  return "excluded" in tried;
}

/** Later findings replace earlier ones of the same call. */
export function mergeTuned(...lists: readonly (readonly TunedCall[])[]): TunedCall[] {
  return [...new Map(lists.flat().map((tuned) => [tuned.call, tuned])).values()];
}
