// What a product is finished with, as it lies in memory.

import { rowPitch } from "../../kernels/storage.ts";
import type { FinishTerms } from "./finish.ts";
import type { Operands } from "./view.ts";

const tableNames = ["bias", "gate", "row_gate", "residual"] as const;

type Tables = Partial<Record<(typeof tableNames)[number], Float32Array>>;

export async function tablesOf(operands: Operands): Promise<Tables> {
  const tables: Tables = {};
  for (const name of tableNames) if (operands.has(name)) tables[name] = await operands.tensor(name);
  return tables;
}

/** By row of the whole result, and column. */
export type TermsAt = (row: number, column: number) => FinishTerms;

export function termsAt(
  { bias, gate, row_gate: rowGate, residual }: Tables,
  part: number,
  pitch: number,
): TermsAt {
  return (row, column) => ({
    bias: at(bias, part * pitch + column, 0),
    gate: at(gate, row * pitch + column, 1),
    rowGate: at(rowGate, row * rowPitch(1), 0),
    residual: at(residual, row * pitch + column, 0),
  });
}

/** `absent` where there is no such table; NaN where a table is too short. */
function at(table: Float32Array | undefined, index: number, absent: number): number {
  return table === undefined ? absent : (table[index] ?? Number.NaN);
}
