// How far a kernel's results are from the right ones, in shares of what the error model accepts.

export interface Deviation {
  /** NaN counts as infinitely far. */
  add(actual: number, expected: number, accepted: number, row: number, column: number): void;
  /** A result that must be equal to the bit. */
  same(actual: number, expected: number, row: number, column: number): void;
  /** Elements that were added. */
  readonly elements: number;
  /** Largest error over what is accepted there: above 1 is wrong. */
  readonly worst: number;
  /** In words, where that was. Undefined while nothing was off. */
  readonly where: string | undefined;
}

export function createDeviation(): Deviation {
  let elements = 0;
  let worst = 0;
  let where: string | undefined;
  const note = (
    share: number,
    actual: number,
    expected: number,
    row: number,
    column: number,
  ): void => {
    worst = share;
    where = `row ${row + 1}, column ${column + 1} is ${actual}, expected ${expected}`;
  };
  return {
    add(actual, expected, accepted, row, column) {
      elements += 1;
      if (actual === expected) return;
      const share = Math.abs(actual - expected) / accepted;
      // NaN fails every comparison.
      if (share <= worst) return;
      note(Number.isNaN(share) ? Infinity : share, actual, expected, row, column);
    },
    same(actual, expected, row, column) {
      elements += 1;
      if (actual !== expected && worst < Infinity) note(Infinity, actual, expected, row, column);
    },
    get elements() {
      return elements;
    },
    get worst() {
      return worst;
    },
    get where() {
      return where;
    },
  };
}
