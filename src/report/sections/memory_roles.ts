// Bytes of a rank's buffers by what they are for, as columns of a table.

import { formatBytes } from "../../measure/format.ts";
import type { BufferRole } from "../../program/program.ts";

interface MemoryRole {
  readonly role: BufferRole;
  readonly title: string;
}

const weights: MemoryRole = { role: "weight", title: "weights" };
const cache: MemoryRole = { role: "cache", title: "cache" };
const others: readonly MemoryRole[] = [
  { role: "input", title: "input" },
  { role: "activation", title: "activ." },
  { role: "workspace", title: "worksp." },
  { role: "staging", title: "staging" },
];

interface OfRank {
  readonly memoryByRole: Readonly<Partial<Record<BufferRole, number>>>;
}

/** Caches have a column where some rank has any. */
export function rolesOf(ranks: readonly OfRank[]): readonly MemoryRole[] {
  const hasCache = ranks.some(({ memoryByRole }) => (memoryByRole.cache ?? 0) > 0);
  return [weights, ...(hasCache ? [cache] : []), ...others];
}

export function roleCells(roles: readonly MemoryRole[], { memoryByRole }: OfRank): string[] {
  return roles.map(({ role }) => formatBytes(memoryByRole[role] ?? 0));
}
