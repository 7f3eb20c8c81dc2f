// Bytes of a rank's buffers by what they are for, as columns of a table.

import { formatBytes } from "../../measure/format.ts";
import type { BufferRole } from "../../program/program.ts";

const roles = ["weight", "input", "activation", "workspace", "staging"] as const;

export const roleTitles = ["weights", "input", "activ.", "worksp.", "staging"] as const;

export function roleCells(byRole: Readonly<Partial<Record<BufferRole, number>>>): string[] {
  return roles.map((role) => formatBytes(byRole[role] ?? 0));
}
