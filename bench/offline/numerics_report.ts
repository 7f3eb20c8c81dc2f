// What the numerics found, as Markdown.

import { readRecords } from "./records.ts";

export interface WrongVariant {
  readonly variant: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly what: string;
}

export type NumericsRecord =
  | {
      readonly kind: "matrix units";
      readonly configurations: readonly Readonly<Record<string, unknown>>[];
    }
  | {
      readonly kind: "case";
      readonly name: string;
      /** How many were tried. */
      readonly variants: number;
      readonly wrong: readonly WrongVariant[];
    }
  /** Time was over before these. */
  | { readonly kind: "left"; readonly cases: number };

export function numericsSections(printed: string): string[] {
  const records = readRecords<NumericsRecord>(printed);
  const units = records.flatMap((one) => (one.kind === "matrix units" ? one.configurations : []));
  const cases = records.flatMap((one) => (one.kind === "case" ? [one] : []));
  const left = records.reduce((sum, one) => sum + (one.kind === "left" ? one.cases : 0), 0);
  const tried = cases.reduce((sum, { variants }) => sum + variants, 0);
  const wrong = cases.flatMap(({ name, wrong: variants }) =>
    variants.map(
      ({ variant, constants, what }) => `- ${name}: ${labelOf(variant, constants)}: ${what}`,
    ),
  );
  return [
    `${tried} variants in ${cases.length} cases against f64: ${wrong.length} wrong` +
      `${left === 0 ? "" : `; ${left} cases were left out, for time was over`}.`,
    "",
    ...(wrong.length === 0 ? [] : [...wrong, ""]),
    units.length === 0
      ? "Subgroup matrices: none."
      : `Subgroup matrices: ${units.map((one) => Object.values(one).join(" ")).join("; ")}.`,
  ];
}

/** The shader and the numbers that are not the shape's. */
export function labelOf(variant: string, constants: Readonly<Record<string, number>>): string {
  return [
    variant,
    ...Object.entries(constants)
      .filter(([name]) => name.length > 1)
      .map(([name, value]) => `${name}=${value}`),
  ].join(" ");
}
