// What a norm finds of a row.

export interface NormStatistics {
  readonly mean: number;
  /** What a row less its mean is multiplied by. */
  readonly scale: number;
}

/** @param centered of a layer norm: the mean is taken off */
export function normStatistics(
  row: ArrayLike<number>,
  { epsilon, centered }: { readonly epsilon: number; readonly centered: boolean },
): NormStatistics {
  const columns = row.length;
  let sum = 0;
  for (let c = 0; c < columns; c++) sum += row[c] ?? Number.NaN;
  const mean = centered ? sum / columns : 0;
  let squares = 0;
  for (let c = 0; c < columns; c++) squares += ((row[c] ?? Number.NaN) - mean) ** 2;
  return { mean, scale: 1 / Math.sqrt(squares / columns + epsilon) };
}
