// What came of adapters that look alike: GPUs of their own, or not proven to be.

import { areSeparate, slowdown, type SeparationTest } from "../../measure/separation.ts";
import { formatNumber } from "../../measure/format.ts";

/** In sentences without a full stop. */
export function separationSentences(test: SeparationTest): string[] {
  const pairs = test.adapters.flatMap((one, i) =>
    test.adapters.slice(i + 1).map((other) => ({ one, other })),
  );
  const apart = pairs.filter(({ one, other }) => areSeparate(test, one, other));
  const rest = pairs.filter(({ one, other }) => !areSeparate(test, one, other));
  const names = test.adapters.join(", ");
  return [
    ...(rest.length === 0
      ? [`${names} look alike and are GPUs of their own: ${atOnce(test, apart)}`]
      : apart.map(
          ({ one, other }) =>
            `${one} and ${other} are GPUs of their own: ${atOnce(test, [{ one, other }])}`,
        )),
    ...rest.map(
      ({ one, other }) =>
        `${one} and ${other} are not proven to be GPUs of their own: ${atOnce(test, [{ one, other }])}`,
    ),
  ];
}

function atOnce(
  test: SeparationTest,
  pairs: readonly { readonly one: string; readonly other: string }[],
): string {
  const found = pairs.flatMap(({ one, other }) => slowdown(test, one, other) ?? []);
  return found.length === 0
    ? "they were not at work at the same time"
    : `kept busy at once, they take ${formatNumber(Math.max(...found))} times as long as alone`;
}
