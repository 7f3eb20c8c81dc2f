// Whole numbers with their digits in groups of three, as `toLocaleString("en-US")` writes them. That loads the
// tables of a language first, which takes longer than a plan takes to check.

/** Rounded half away from zero; from 10²¹ on, with an exponent. */
export function thousands(value: number): string {
  const digits = String(Math.round(Math.abs(value))).replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
  return value < 0 && digits !== "0" ? `-${digits}` : digits;
}
