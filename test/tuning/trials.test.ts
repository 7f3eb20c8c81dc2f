import { describe, expect, test } from "vitest";
import type { CallVariants, NamedVariant } from "../../src/tuning/keys.ts";
import { knowledgeOf, selectedVariant, trialsOf } from "../../src/tuning/trials.ts";
import type { TunedCall } from "../../src/tuning/tuned_call.ts";

function named(key: string): NamedVariant {
  return {
    key,
    variant: { name: key.split(" ")[0] ?? "", constants: {}, grid: [1, 1, 1] },
  };
}
const own = named("own");
const expected = named("fast TILE=8");
const variants: CallVariants = {
  variants: [own, named("wide W=2"), named("wide W=4"), expected, named("fast TILE=16")],
  expected,
};
function tuned(over: Partial<TunedCall> = {}): TunedCall {
  return {
    call: "this",
    class: "class",
    chosen: "fast TILE=16",
    variants: 5,
    complete: false,
    tried: ["fast TILE=8", "own", "fast TILE=16"].map((variant) => ({
      variant,
      ms: 1,
      speedup: 1,
    })),
    ...over,
  };
}
function keysOf({ variants: list }: { readonly variants: readonly NamedVariant[] }): string[] {
  return list.map(({ key }) => key);
}

describe("what is tried", () => {
  test("of a call that is new: all variants, the expected and the own one first, then shader by shader", () => {
    const trials = trialsOf(variants, {});
    expect(keysOf(trials)).toEqual(["fast TILE=8", "own", "wide W=2", "wide W=4", "fast TILE=16"]);
    expect(trials).toMatchObject({ rivals: 2, partial: false });
  });

  test("the first tiling of every shader comes before any second one", () => {
    const others: CallVariants = { ...variants, expected: own };
    expect(keysOf(trialsOf(others, {}))).toEqual([
      "own",
      "wide W=2",
      "fast TILE=8",
      "wide W=4",
      "fast TILE=16",
    ]);
  });

  test("of a call that was begun: what is left, against the best so far", () => {
    const trials = trialsOf(variants, { own: tuned() });
    expect(keysOf(trials)).toEqual(["fast TILE=8", "own", "fast TILE=16", "wide W=2", "wide W=4"]);
    expect(trials.rivals).toBe(3);
  });

  test("of a call that is complete, or has one variant only: nothing", () => {
    expect(trialsOf(variants, { own: tuned({ complete: true }) }).variants).toEqual([]);
    expect(trialsOf({ variants: [own], expected: own }, {}).variants).toEqual([]);
  });

  test("of a call of a class that was tuned: only its winner", () => {
    const trials = trialsOf(variants, { near: tuned({ call: "other", chosen: "wide W=4" }) });
    expect(keysOf(trials)).toEqual(["fast TILE=8", "own", "wide W=4"]);
    expect(trials.partial).toBe(true);
  });

  test("of a call of a class whose winner is the expected variant: nothing", () => {
    expect(trialsOf(variants, { near: tuned({ chosen: "fast TILE=8" }) }).variants).toEqual([]);
  });

  test("of a call of a class whose winner it does not have: all", () => {
    expect(trialsOf(variants, { near: tuned({ chosen: "fast TILE=64" }) }).variants).toHaveLength(
      5,
    );
  });
});

describe("what is known", () => {
  test("of a call is what was found out of it, and of the latest complete one of its class", () => {
    const known = [
      tuned({ call: "a", complete: true }),
      tuned({ call: "b", complete: true, chosen: "own" }),
      tuned({ call: "c" }),
      tuned(),
    ];
    expect(knowledgeOf(known, "this", "class", 5)).toEqual({ own: known[3], near: known[1] });
    expect(knowledgeOf(known, "that", "class", 5)).toEqual({ near: known[1] });
    expect(knowledgeOf(known, "that", "another", 5)).toEqual({});
  });

  test("is nothing where there were other variants to choose from", () => {
    expect(knowledgeOf([tuned()], "this", "class", 6)).toEqual({});
  });
});

describe("what a call takes", () => {
  test("is the expected variant, until another has won at this very shape", () => {
    expect(selectedVariant(variants, {})).toBe(expected);
    expect(selectedVariant(variants, { near: tuned({ complete: true }) })).toBe(expected);
    expect(selectedVariant(variants, { own: tuned() }).key).toBe("fast TILE=16");
  });

  test("is the expected variant where the winner is gone", () => {
    expect(selectedVariant(variants, { own: tuned({ chosen: "fast TILE=64" }) })).toBe(expected);
  });
});
