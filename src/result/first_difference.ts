// Where two JSON values differ.

export interface FieldDifference {
  /** Keys from the outside in, joined by dots. */
  readonly path: string;
  /** Undefined where the value is missing on that side. */
  readonly left: unknown;
  readonly right: unknown;
}

/** Beyond what another version of the runtime may round differently. */
const tolerance = 1e-9;

/** The first of them, keys in the order of `left`; undefined where the values are the same. */
export function firstDifference(
  left: unknown,
  right: unknown,
  path: readonly string[] = [],
): FieldDifference | undefined {
  if (typeof left === "number" && typeof right === "number" && isClose(left, right)) return;
  if (isObject(left) && isObject(right) && Array.isArray(left) === Array.isArray(right)) {
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const found = firstDifference(left[key], right[key], [...path, key]);
      if (found !== undefined) return found;
    }
    return;
  }
  return Object.is(left, right) ? undefined : { path: path.join("."), left, right };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isClose(left: number, right: number): boolean {
  return (
    left === right ||
    Math.abs(left - right) <= tolerance * Math.max(Math.abs(left), Math.abs(right))
  );
}
