// What a call takes on an adapter, and what is still worth trying there, by what is known.

import type { AdapterTraits } from "../kernels/kernel.ts";
import { callKey, type CallForms, classKey, type NamedForm, namedForms } from "./keys.ts";
import type { BoundCall } from "./scratch.ts";
import { knowledgeOf, takenForm, type Trials, trialsOf } from "./trials.ts";
import type { TunedCall } from "./tuned_call.ts";

export interface Choice extends CallForms {
  readonly taken: NamedForm;
  readonly trials: Trials;
  /** What tuning found out about this very call. */
  readonly own?: TunedCall;
}

export function choiceOf<Shape extends object>(
  adapter: AdapterTraits,
  { kernel, shape, dtype }: Pick<BoundCall<Shape>, "kernel" | "shape" | "dtype">,
  known: readonly TunedCall[],
): Choice {
  const forms = namedForms(kernel, shape, adapter, dtype);
  const knowledge = knowledgeOf(
    known,
    callKey(kernel.name, shape, dtype),
    classKey(kernel.name, shape, dtype),
    forms.forms.length,
  );
  const { own } = knowledge;
  return {
    ...forms,
    taken: takenForm(forms, knowledge),
    trials: trialsOf(forms, knowledge),
    ...(own === undefined ? {} : { own }),
  };
}
