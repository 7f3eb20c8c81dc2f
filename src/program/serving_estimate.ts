// What a plan that serves needs: the cost of a decode step, that of a prefill step beside it, and the memory of both.

import type { PlanEstimate, SharedActivations } from "./estimate.ts";
import { type MemoryNeed, memoryKinds } from "./memory.ts";
import type { BufferRole } from "./program.ts";
import type { RankEstimate } from "./tally.ts";

/** The phases share weights, caches and the memory of activations; inputs each has for itself. */
export function bothPhases(decode: PlanEstimate, prefill: PlanEstimate): PlanEstimate {
  const sharedActivations = decode.sharedActivations.map((own, i) =>
    together(own, prefill.sharedActivations[i]),
  );
  const ranks = decode.ranks.map((own, i) =>
    inBoth(own, prefill.ranks[i], {
      before: decode.sharedActivations[i],
      other: prefill.sharedActivations[i],
      both: sharedActivations[i],
    }),
  );
  const memory = decode.memory.map((own, i) => needOf(own, ranks[i]));
  return { ...decode, ranks, sharedActivations, memory, prefill };
}

function together(own: SharedActivations, other: SharedActivations | undefined): SharedActivations {
  const arenas = own.arenas.map((bytes, i) => Math.max(bytes, other?.arenas[i] ?? 0));
  for (const bytes of other?.arenas.slice(arenas.length) ?? []) arenas.push(bytes);
  return {
    rank: own.rank,
    arenas,
    bytes: arenas.reduce((sum, bytes) => sum + bytes, 0),
    liveBytes: Math.max(own.liveBytes, other?.liveBytes ?? 0),
  };
}

interface Shared {
  readonly before: SharedActivations | undefined;
  readonly other: SharedActivations | undefined;
  readonly both: SharedActivations | undefined;
}

function inBoth(
  own: RankEstimate,
  prefill: RankEstimate | undefined,
  { before, other, both }: Shared,
): RankEstimate {
  const a = own.memoryByRole;
  const b = prefill?.memoryByRole ?? {};
  const of = (role: BufferRole): [number, number] => [a[role] ?? 0, b[role] ?? 0];
  const most = (role: BufferRole): number => Math.max(...of(role));
  const [decodes, prefills] = of("activation");
  const besides = decodes - (before?.bytes ?? 0) + prefills - (other?.bytes ?? 0);
  const memoryByRole = {
    ...a,
    input: (a.input ?? 0) + (b.input ?? 0),
    activation: besides + (both?.bytes ?? 0),
    workspace: most("workspace"),
    staging: most("staging"),
  };
  const memoryBytes = Object.values(memoryByRole).reduce((sum, bytes) => sum + bytes, 0);
  return { ...own, memoryByRole, memoryBytes };
}

function needOf(own: MemoryNeed, rank: RankEstimate | undefined): MemoryNeed {
  const { input = 0, activation = 0, workspace = 0, staging = 0 } = rank?.memoryByRole ?? {};
  const need = { ...own, activations: input + activation, workspace: workspace + staging };
  return { ...need, total: memoryKinds.reduce((sum, kind) => sum + need[kind], 0) };
}
