// What each rank's buffers were estimated to take, and what they took.

import { formatBytes } from "../../measure/format.ts";
import type { RunResult } from "../../result/result.ts";
import { roleCells, rolesOf } from "./memory_roles.ts";
import { note, right, table, type Block, type Section } from "../section.ts";

export function rankMemorySection(result: RunResult): Section {
  const { estimate, memory } = result;
  const roles = rolesOf(estimate.ranks);
  const rows = estimate.ranks.map((each) => {
    const { rank, memoryBytes } = each;
    const own = memory.find((held) => held.rank === rank);
    return {
      cells: [
        String(rank),
        ...roleCells(roles, each),
        formatBytes(memoryBytes),
        own === undefined ? "–" : formatBytes(own.allocatedBytes),
        own === undefined ? "–" : formatBytes(own.peakBytes),
      ],
    };
  });
  return {
    title: "Memory per rank",
    blocks: [
      table(right("rank", ...roles.map(({ title }) => title), "estimate", "alloc.", "peak"), rows),
      ...(memory.length === 0 ? [] : comparison(result)),
    ],
  };
}

function comparison({ estimate, memory }: RunResult): Block[] {
  const differing = estimate.ranks.filter(({ rank, memoryBytes }) =>
    memory.some((own) => own.rank === rank && own.allocatedBytes !== memoryBytes),
  );
  return differing.length === 0
    ? [note("the estimate equals what was allocated, to the byte")]
    : differing.map(({ rank }) =>
        note(`rank ${rank}: the estimate is not what was allocated`, "bad"),
      );
}
