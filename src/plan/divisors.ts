// Divisors of sizes and degrees. Their cost grows with the root of the number.

/** Ascending. */
export function divisors(whole: number): number[] {
  const small: number[] = [];
  for (let each = 1; each * each <= whole; each++) if (whole % each === 0) small.push(each);
  const large = small.map((each) => whole / each).filter((each) => !small.includes(each));
  return [...small, ...large.toReversed()];
}

/** The largest divisor of `whole` that is not above `limit`, and 1 at least. */
export function divisorAtMost(whole: number, limit: number): number {
  return divisors(whole).findLast((each) => each <= limit) ?? 1;
}
