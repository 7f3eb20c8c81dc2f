// The columns of a table of a rank's memory.

import type { BufferRole } from "../../program/program.ts";

const columns: readonly (readonly BufferRole[])[] = [
  ["weight"],
  ["input"],
  ["activation"],
  ["workspace", "constant"],
  ["staging"],
];

/** Bytes of weights, input, activations, workspace and staging. */
export function memoryByColumn(
  byRole: Readonly<Partial<Record<BufferRole, number>>>,
): readonly number[] {
  return columns.map((roles) => roles.reduce((sum, role) => sum + (byRole[role] ?? 0), 0));
}
