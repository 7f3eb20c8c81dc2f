import { rowPitch } from "../../kernels/storage.ts";

/** [rows, columns] as [columns, rows]. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(columns * rowPitch(rows));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = values[row * rowPitch(columns) + column];
      result[column * rowPitch(rows) + row] = value ?? Number.NaN;
    }
  }
  return result;
}
