// Which GPUs send what to which.

import { groupBy } from "../../group_by.ts";
import { formatBytes, formatNumber } from "../../measure/format.ts";
import type { CollectiveEstimate } from "../../program/estimate.ts";
import { listOf } from "../../program/runs_of_ranks.ts";
import { left, note, paragraph, right, table, type Section } from "../section.ts";
import { moreLines } from "./more_lines.ts";

const mostLines = 16;

export function flowSection(collectives: readonly CollectiveEstimate[]): Section {
  if (collectives.length === 0) {
    return { blocks: [paragraph("No GPU waits for another: nothing is communicated.")] };
  }
  const kinds = groupBy(
    collectives,
    ({ op, name, groups, instances }) =>
      `${op} ${name ?? ""} ${JSON.stringify(groups[0])} ${instances}`,
  );
  const rows = [...kinds.values()].map((alike) => {
    const [first] = alike;
    const [group] = first?.groups ?? [];
    return {
      cells: [
        first?.op ?? "",
        whatOf(alike),
        `${listOf(group?.from ?? [])} → ${listOf(group?.to ?? [])}`,
        formatNumber(first?.instances ?? 1),
        formatNumber(alike.reduce((sum, { calls }) => sum + calls, 0)),
        formatBytes(alike.reduce((sum, { wireBytes }) => sum + wireBytes, 0)),
      ],
    };
  });
  return {
    title: "Communication",
    blocks: [
      table(
        [...left("operation", "of", "GPUs"), ...right("groups", "calls", "bytes")],
        rows.slice(0, mostLines),
      ),
      note(
        `estimated, per step; GPUs: the first group; bytes: what arrives at other GPUs${moreLines(rows.length, mostLines)}`,
      ),
    ],
  };
}

function whatOf(alike: readonly CollectiveEstimate[]): string {
  const [first] = alike;
  if (first?.name !== undefined) return first.name;
  if (alike.length === 1) return first?.layer ?? "";
  const ops = new Set(alike.map(({ layer }) => layer.slice(layer.lastIndexOf(".") + 1)));
  return `${alike.length} layers: ${[...ops].join(", ")}`;
}
