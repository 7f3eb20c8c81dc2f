// How far a figure may be from the one that it was rounded from, by the digits that it is written with.

/** Powers of two that sizes in bytes are written with. */
const units = [1, 2 ** 20, 2 ** 30, 2 ** 40];

/**
 * Half a unit of the last digit, relative: 1.6 % of 3.1. At least two digits count, 0.5 being 0.50, and of whole numbers
 * three, 5 being 5.00.
 */
export function roundingOf(value: number): number {
  return value === 0 ? 0 : Math.max(...units.map((unit) => roundingIn(Math.abs(value) / unit)));
}

function roundingIn(value: number): number {
  // Percentages leave the last bits of a share undecided.
  const exact = Number(value.toPrecision(12));
  const [mantissa = "", exponent = "0"] = exact.toExponential().split("e");
  const power = Number(exponent);
  const atLeast = Number.isInteger(exact) ? 3 : 2;
  const digits = Math.max(atLeast, mantissa.replace(".", "").length);
  return (0.5 * 10 ** (power - digits + 1)) / exact;
}
