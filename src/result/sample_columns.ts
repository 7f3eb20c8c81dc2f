// Samples as a result file keeps them: of steps in a row whose samples have the same form, one sample, in which whatever
// differs between them is a list, `{ "each": [first, second, …] }`. Thousands of steps take a tenth of the room so.

/** Of a sample or a part of it. */
export type SampleColumn =
  | number
  | string
  | boolean
  | null
  | Each
  | readonly SampleColumn[]
  | ColumnRecord;
interface Each {
  readonly each: readonly (number | string | boolean | null)[];
}
interface ColumnRecord {
  readonly [key: string]: SampleColumn;
}

type Scalar = Each["each"][number];

/** One for samples in a row that have the same form; one each where nothing tells them apart. */
export function sampleColumns(samples: readonly object[]): SampleColumn[] {
  const columns: SampleColumn[] = [];
  let begin = 0;
  for (const [index, sample] of samples.entries()) {
    if (index + 1 < samples.length && areAlike(sample, samples[index + 1])) continue;
    const alike = samples.slice(begin, index + 1);
    begin = index + 1;
    const column = columnOf(alike);
    const lengths = new Set<number>();
    measure(column, lengths);
    columns.push(...(lengths.size === 0 ? alike.map(() => column) : [column]));
  }
  return columns;
}

/** Differ in scalars only. */
function areAlike(one: unknown, other: unknown): boolean {
  if (isList(one)) {
    return (
      isList(other) &&
      one.length === other.length &&
      one.every((part, i) => areAlike(part, other[i]))
    );
  }
  if (!isRecord(one)) return isScalar(other);
  if (!isRecord(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && areAlike(one[key], other[key]))
  );
}

function columnOf(values: readonly unknown[]): SampleColumn {
  const [first] = values;
  if (Array.isArray(first)) {
    return first.map((_, i) => columnOf(values.map((list) => (isList(list) ? list[i] : null))));
  }
  if (isRecord(first)) {
    return Object.fromEntries(
      Object.keys(first).map((key) => [
        key,
        columnOf(values.map((record) => (isRecord(record) ? record[key] : null))),
      ]),
    );
  }
  const scalars = values.map((value) => (isScalar(value) ? value : null));
  return scalars.every((scalar) => scalar === scalars[0])
    ? (scalars[0] ?? null)
    : { each: scalars };
}

/** Of all samples together: more would not fit into memory, and no run takes as long. */
const mostValues = 1e8;

/** @throws Error where lists of one column differ in length, or where there is too much of it */
export function samplesFromColumns(columns: unknown): unknown[] {
  if (!isList(columns)) throw new Error("samples are no list");
  let values = 0;
  return columns.flatMap((column) => {
    const lengths = new Set<number>();
    const size = measure(column, lengths);
    if (lengths.size > 1) throw new Error("samples have lists of different lengths");
    const count = lengths.size === 0 ? 1 : Math.max(...lengths);
    values += count * size;
    if (values > mostValues) throw new Error(`samples have more than ${mostValues} values`);
    return Array.from({ length: count }, (_, index) => sampleAt(column, index));
  });
}

/** How many values a sample has. @param lengths is given those of all lists */
function measure(column: unknown, lengths: Set<number>): number {
  if (isEach(column)) {
    lengths.add(column.each.length);
    return 1;
  }
  if (typeof column !== "object" || column === null) return 1;
  return Object.values(column).reduce((sum: number, part) => sum + measure(part, lengths), 1);
}

function sampleAt(column: unknown, index: number): unknown {
  if (isEach(column)) return column.each[index];
  if (isList(column)) return column.map((part) => sampleAt(part, index));
  if (!isRecord(column)) return column;
  return Object.fromEntries(
    Object.entries(column).map(([key, part]) => [key, sampleAt(part, index)]),
  );
}

function isEach(column: unknown): column is { readonly each: readonly unknown[] } {
  return isRecord(column) && isList(column["each"]);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is Scalar {
  return value === null || ["number", "string", "boolean"].includes(typeof value);
}
