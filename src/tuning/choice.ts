// What a call takes on an adapter, and what is still worth trying there, by what is known.

import type { AdapterTraits } from "../kernels/kernel.ts";
import { callKey, type CallVariants, classKey, type NamedVariant, namedVariants } from "./keys.ts";
import type { BoundCall } from "./scratch.ts";
import { knowledgeOf, selectedVariant, type Trials, trialsOf } from "./trials.ts";
import type { TunedCall } from "./tuned_call.ts";

export interface Choice extends CallVariants {
  readonly selected: NamedVariant;
  readonly trials: Trials;
  /** What tuning found out about this very call. */
  readonly own?: TunedCall;
}

export function choiceOf<Shape extends object>(
  adapter: AdapterTraits,
  { kernel, shape, dtype }: Pick<BoundCall<Shape>, "kernel" | "shape" | "dtype">,
  known: readonly TunedCall[],
): Choice {
  const variants = namedVariants(kernel, shape, adapter, dtype);
  const knowledge = knowledgeOf(
    known,
    callKey(kernel.name, shape, dtype),
    classKey(kernel.name, shape, dtype),
    variants.variants.length,
  );
  const { own } = knowledge;
  return {
    ...variants,
    selected: selectedVariant(variants, knowledge),
    trials: trialsOf(variants, knowledge),
    ...(own === undefined ? {} : { own }),
  };
}
