// Bytes of a rank's buffers by what they are for, as columns of a table.

import { formatBytes } from "../../measure/format.ts";
import type { BufferRole } from "../../program/program.ts";

/** By column. */
const roles: readonly (readonly BufferRole[])[] = [
  ["weight"],
  ["input"],
  ["activation"],
  ["workspace", "constant"],
  ["staging"],
];

export const roleTitles = ["weights", "input", "activ.", "worksp.", "staging"] as const;

export function roleCells(byRole: Readonly<Partial<Record<BufferRole, number>>>): string[] {
  return roles.map((own) =>
    formatBytes(own.reduce((bytes, role) => bytes + (byRole[role] ?? 0), 0)),
  );
}
