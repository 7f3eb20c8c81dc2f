// Which forms of a call are still worth trying, in which order, and which of them a call takes. Pure.

import type { CallForms, NamedForm } from "./keys.ts";
import type { TunedCall } from "./tuned_call.ts";

/** What is known of a call before it is tuned. */
export interface Knowledge {
  /** Of this very call. */
  readonly own?: TunedCall;
  /** Complete, of another call of its class. */
  readonly near?: TunedCall;
}

export function knowledgeOf(
  known: readonly TunedCall[],
  call: string,
  callClass: string,
  forms: number,
): Knowledge {
  const usable = known.filter((tuned) => tuned.forms === forms);
  const own = usable.find((tuned) => tuned.call === call);
  const near = usable.findLast((tuned) => tuned.class === callClass && tuned.complete);
  return { ...(own === undefined ? {} : { own }), ...(near === undefined ? {} : { near }) };
}

export interface Trials {
  /** Empty where nothing is left to try. */
  readonly forms: readonly NamedForm[];
  /**
   * How many of them hold the others up: the form taken untuned, the kernel's own, and the best so far.
   * Without these there is nothing to compare with.
   */
  readonly rivals: number;
  /** Whether forms are left out because of how they did at another shape. */
  readonly partial: boolean;
}

/**
 * Where a call of the same class was tuned, only its winner is tried against the rivals. Else every form that
 * was not tried yet: the first tiling of each variant, then the second ones, …
 */
export function trialsOf({ forms, expected }: CallForms, { own, near }: Knowledge): Trials {
  const none: Trials = { forms: [], rivals: 0, partial: false };
  if (forms.length === 1 || own?.complete === true) return none;
  const find = (key: string | undefined): NamedForm | undefined =>
    forms.find((form) => form.key === key);
  const best = find(own?.chosen);
  const rivals = [...new Set([expected, forms[0], ...(best === undefined ? [] : [best])])];
  const tried = new Set(own?.tried.map(({ form }) => form));
  const isNew = (form: NamedForm): boolean => !tried.has(form.key) && !rivals.includes(form);

  const borrowed = own === undefined ? find(near?.chosen) : undefined;
  if (borrowed !== undefined) {
    if (borrowed === expected) return none;
    const others = [borrowed].filter(isNew);
    return { forms: [...rivals, ...others], rivals: rivals.length, partial: true };
  }
  const others = inTurns(forms).filter(isNew);
  if (others.length === 0 && own !== undefined) return none;
  return { forms: [...rivals, ...others], rivals: rivals.length, partial: false };
}

/** The first of every shader, then the second of every shader, … */
function inTurns(forms: readonly NamedForm[]): NamedForm[] {
  const turns = new Map<string, number>();
  return forms
    .map((named) => {
      const turn = turns.get(named.form.name) ?? 0;
      turns.set(named.form.name, turn + 1);
      return { named, turn };
    })
    .toSorted((a, b) => a.turn - b.turn)
    .map(({ named }) => named);
}

/** The form that a call takes: the winner where there is one, else the one expected to be fastest. */
export const takenForm = ({ forms, expected }: CallForms, { own }: Knowledge): NamedForm =>
  forms.find(({ key }) => key === own?.chosen) ?? expected;
