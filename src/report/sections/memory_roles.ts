// Bytes of a rank's buffers by what they are for, as columns of a table.

import { formatBytes } from "../../measure/format.ts";
import type { BufferRole } from "../../program/program.ts";

const columns: readonly { readonly title: string; readonly roles: readonly BufferRole[] }[] = [
  { title: "weights", roles: ["weight"] },
  { title: "input", roles: ["input"] },
  { title: "activ.", roles: ["activation"] },
  { title: "worksp.", roles: ["workspace", "constant"] },
  { title: "staging", roles: ["staging"] },
];

export const roleTitles: readonly string[] = columns.map(({ title }) => title);

export function roleCells(byRole: Readonly<Partial<Record<BufferRole, number>>>): string[] {
  return columns.map(({ roles }) =>
    formatBytes(roles.reduce((sum, role) => sum + (byRole[role] ?? 0), 0)),
  );
}
