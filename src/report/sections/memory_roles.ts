// Bytes of a rank's buffers by what they are for, as columns of a table.

import { formatBytes } from "../../measure/format.ts";
import type { BufferRole } from "../../program/program.ts";

interface MemoryColumn {
  readonly title: string;
  readonly roles: readonly BufferRole[];
}

const weights: MemoryColumn = { title: "weights", roles: ["weight"] };
/** Shown where at least one of the ranks has any. */
const some: readonly MemoryColumn[] = [
  { title: "cache", roles: ["cache"] },
  { title: "grad.", roles: ["gradient"] },
  { title: "optim.", roles: ["optimizer"] },
];
const others: readonly MemoryColumn[] = [
  { title: "input", roles: ["input"] },
  { title: "activ.", roles: ["activation"] },
  { title: "worksp.", roles: ["workspace", "constant"] },
  { title: "staging", roles: ["staging"] },
];

interface OfRank {
  readonly memoryByRole: Readonly<Partial<Record<BufferRole, number>>>;
}

/** Columns of a table of ranks. */
export function rolesOf(ranks: readonly OfRank[]): readonly MemoryColumn[] {
  const present = some.filter(({ roles }) =>
    ranks.some(({ memoryByRole }) => roles.some((role) => (memoryByRole[role] ?? 0) > 0)),
  );
  return [weights, ...present, ...others];
}

export function roleCells(columns: readonly MemoryColumn[], { memoryByRole }: OfRank): string[] {
  return columns.map(({ roles }) =>
    formatBytes(roles.reduce((sum, role) => sum + (memoryByRole[role] ?? 0), 0)),
  );
}
