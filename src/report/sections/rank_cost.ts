// What each rank holds and does, ranks alike together.

import { countOf, formatBytes, formatFlops, formatPercent } from "../../measure/format.ts";
import type { Plan } from "../../plan/plan.ts";
import type { PlanEstimate } from "../../program/estimate.ts";
import { fullestNeed, type MemoryNeed } from "../../program/memory.ts";
import { rangeOf, runsOfRanks, type RankRun } from "../../program/runs_of_ranks.ts";
import { note, right, table, type Block, type Section } from "../section.ts";
import { intensityOf } from "./intensity.ts";
import { roleCells, rolesOf } from "./memory_roles.ts";

const mostLines = 16;

type Rank = PlanEstimate["ranks"][number];

/** Memory, then work. */
export function rankCostSections(
  plan: Plan,
  { ranks, memory, sharedActivations }: PlanEstimate,
): Section[] {
  const capacity = plan.hardware.memoryPerGpu;
  const roles = rolesOf(ranks);
  const memoryCells = (rank: Rank): string[] => [
    ...roleCells(roles, rank),
    formatBytes(rank.memoryBytes),
    ...(capacity === undefined ? [] : [formatPercent(rank.memoryBytes / capacity)]),
  ];
  const titles = roles.map(({ title }) => title);
  const runs = runsOfRanks(ranks, (rank) =>
    [...memoryCells(rank), formatFlops(rank.flops), formatBytes(rank.sentBytes)].join(),
  );
  const shown = runs.slice(0, mostLines);
  const left = ranks.length - (shown.at(-1)?.last ?? 0) - 1;
  return [
    {
      title: "Memory per rank",
      blocks: [
        table(
          right("rank", ...titles, "total", ...(capacity === undefined ? [] : ["of GPU"])),
          shown.map((run) => ({ cells: [rangeOf(run), ...memoryCells(run.item)] })),
        ),
        note(
          "the buffers that a run allocates, to the byte; staging is mappable memory through which " +
            "collectives leave the GPU",
        ),
        ...sharing(sharedActivations),
        ...besides(plan, memory, capacity),
      ],
    },
    {
      title: "Work per rank and step",
      blocks: [
        table(right("rank", "FLOPs", "bytes", "FLOP/B", "sent", "received"), shown.map(workRow)),
        ...routed(ranks),
        ...(runs.length > shown.length
          ? [note(`and ${countOf(left, "more rank")}; --json lists all`)]
          : []),
      ],
    },
  ];
}

function workRow(run: RankRun<Rank>) {
  const { flops, kernelBytes, sentBytes, receivedBytes } = run.item;
  return {
    cells: [
      rangeOf(run),
      formatFlops(flops),
      formatBytes(kernelBytes),
      intensityOf(run.item),
      formatBytes(sentBytes),
      formatBytes(receivedBytes),
    ],
  };
}

/** What arrives depends on the routers: expected is an even spread. */
function routed(
  ranks: readonly { readonly receivedBytes: number; readonly receivedBytesAtWorst?: number }[],
): Block[] {
  let worst: { expected: number; most: number } | undefined;
  for (const { receivedBytes, receivedBytesAtWorst = 0 } of ranks) {
    if (receivedBytesAtWorst > (worst?.most ?? 0)) {
      worst = { expected: receivedBytes, most: receivedBytesAtWorst };
    }
  }
  return worst === undefined
    ? []
    : [
        note(
          `received: tokens spread evenly over the experts; a rank that they all choose receives ${formatBytes(worst.most)} instead of ${formatBytes(worst.expected)}`,
        ),
      ];
}

/** What sharing reaches beside what lives at once, on the rank with most. */
function sharing(shared: PlanEstimate["sharedActivations"]): Block[] {
  const [first] = shared.toSorted((a, b) => b.bytes - a.bytes);
  if (first === undefined || first.bytes === 0) return [];
  const { rank, bytes, liveBytes } = first;
  return [
    note(
      `activations share memory by lifetime: ${formatBytes(bytes)} on rank ${rank}, of which ` +
        `${formatBytes(liveBytes)} are alive at once: ${(bytes / liveBytes).toFixed(2)} × the least that any sharing takes`,
    ),
  ];
}

/** What the fullest GPU needs beside the program's buffers. */
function besides(
  { workload }: Plan,
  memory: readonly MemoryNeed[],
  capacity: number | undefined,
): Block[] {
  const { rank, keyValueCache, gradients, optimizer, total } = fullestNeed(memory);
  // What a plan serves from, or trains with, is among the buffers.
  const { mode, optimizer: updates } = workload;
  const parts = [
    ["KV cache", mode === "serving" ? 0 : keyValueCache] as const,
    ["gradients", updates === undefined ? gradients : 0] as const,
    ["optimizer state", updates === undefined ? optimizer : 0] as const,
  ].filter(([, bytes]) => bytes > 0);
  if (parts.length === 0) return [];
  const needed = parts.map(([name, bytes]) => `${name} ${formatBytes(bytes)}`).join(", ");
  const share = capacity === undefined ? "" : ` (${formatPercent(total / capacity)} of it)`;
  return [
    note(
      `besides, the plan needs on GPU ${rank}, the fullest: ${needed}; ${formatBytes(total)} in all${share}`,
    ),
  ];
}
