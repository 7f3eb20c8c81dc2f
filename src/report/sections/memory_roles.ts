// Columns of tables of memory: what buffers are for.

import type { BufferRole } from "../../program/program.ts";

interface MemoryRole {
  readonly role: BufferRole;
  readonly title: string;
}

const always: readonly MemoryRole[] = [
  { role: "weight", title: "weights" },
  { role: "input", title: "input" },
  { role: "activation", title: "activ." },
  { role: "workspace", title: "worksp." },
  { role: "staging", title: "staging" },
];

/** Caches only where some rank has any. */
export const rolesOf = (
  ranks: readonly { readonly memoryByRole: Readonly<Partial<Record<BufferRole, number>>> }[],
): readonly MemoryRole[] =>
  ranks.some(({ memoryByRole }) => (memoryByRole.cache ?? 0) > 0)
    ? [...always.slice(0, 1), { role: "cache", title: "cache" }, ...always.slice(1)]
    : always;
