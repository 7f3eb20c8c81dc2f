// Which variants of a call are still worth trying, in which order, and which of them a call takes. Pure.

import type { CallVariants, NamedVariant } from "./keys.ts";
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
  variants: number,
): Knowledge {
  const usable = known.filter((tuned) => tuned.variants === variants);
  const own = usable.find((tuned) => tuned.call === call);
  const near = usable.findLast((tuned) => tuned.class === callClass && tuned.complete);
  return { ...(own === undefined ? {} : { own }), ...(near === undefined ? {} : { near }) };
}

export interface Trials {
  /** Empty where nothing is left to try. */
  readonly variants: readonly NamedVariant[];
  /**
   * How many of them hold the others up: the variant selected untuned, the kernel's own, and the best so far.
   * Without these there is nothing to compare with.
   */
  readonly rivals: number;
  /** Whether variants are left out because of how they did at another shape. */
  readonly partial: boolean;
}

/**
 * Where a call of the same class was tuned, only its winner is tried against the rivals. Else every variant that
 * was not tried yet: the first tiling of each shader, then the second ones, …
 */
export function trialsOf({ variants, expected }: CallVariants, { own, near }: Knowledge): Trials {
  const none: Trials = { variants: [], rivals: 0, partial: false };
  if (variants.length === 1 || own?.complete === true) return none;
  const find = (key: string | undefined): NamedVariant | undefined =>
    variants.find((variant) => variant.key === key);
  const best = find(own?.chosen);
  const rivals = [...new Set([expected, variants[0], ...(best === undefined ? [] : [best])])];
  const tried = new Set(own?.tried.map(({ variant }) => variant));
  const isNew = (variant: NamedVariant): boolean =>
    !tried.has(variant.key) && !rivals.includes(variant);

  const borrowed = own === undefined ? find(near?.chosen) : undefined;
  if (borrowed !== undefined) {
    if (borrowed === expected) return none;
    const others = [borrowed].filter(isNew);
    return { variants: [...rivals, ...others], rivals: rivals.length, partial: true };
  }
  const others = inTurns(variants).filter(isNew);
  if (others.length === 0 && own !== undefined) return none;
  return { variants: [...rivals, ...others], rivals: rivals.length, partial: false };
}

/** The first of every shader, then the second of every shader, … */
function inTurns(variants: readonly NamedVariant[]): NamedVariant[] {
  const turns = new Map<string, number>();
  return variants
    .map((named) => {
      const turn = turns.get(named.variant.name) ?? 0;
      turns.set(named.variant.name, turn + 1);
      return { named, turn };
    })
    .toSorted((a, b) => a.turn - b.turn)
    .map(({ named }) => named);
}

/** The variant that a call takes: the winner where there is one, else the one expected to be fastest. */
export function selectedVariant(
  { variants, expected }: CallVariants,
  { own }: Knowledge,
): NamedVariant {
  return variants.find(({ key }) => key === own?.chosen) ?? expected;
}
