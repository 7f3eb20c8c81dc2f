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
export const memoryByColumn = (
  byRole: Readonly<Partial<Record<BufferRole, number>>>,
): readonly number[] =>
  columns.map((roles) => roles.reduce((sum, role) => sum + (byRole[role] ?? 0), 0));
