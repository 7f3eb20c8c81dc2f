// A plan of more stages than fit side by side: one box after the other, alike stages as one.

import type { GpuLoad } from "../../program/load_per_gpu.ts";
import type { StageDescription } from "../../program/describe.ts";
import { countOf, formatPercent } from "../../measure/format.ts";
import { rangesOf } from "../../program/runs_of_ranks.ts";
import { LINE_WIDTH } from "../render/table.ts";
import { padEnd, shortened, wrap } from "../render/text_width.ts";

const INNER = LINE_WIDTH - 4;

export function stageList(stages: readonly StageDescription[], load: readonly GpuLoad[]): string[] {
  const lines: string[] = [];
  const kinds = alike(stages);
  for (const [i, { first, last, count }] of kinds.entries()) {
    const shares = load
      .filter(({ gpu }) => first.gpus.includes(gpu))
      .reduce((sum, { flopsShare }) => sum + flopsShare, 0);
    const title = count === 1 ? first.name : `${first.name} … ${last.name}: ${count} alike`;
    const gpus =
      count === 1
        ? `GPUs ${rangesOf(first.gpus)}`
        : `${countOf(first.gpus.length, "GPU")} each, from ${rangesOf(first.gpus)}`;
    const text = [
      `${title} · ${gpus} · ${formatPercent(shares)} of FLOPs`,
      ...first.blocks.flatMap(({ times, steps }) =>
        wrap(
          (times === 1 ? "" : `${times} × `) +
            steps
              .map(
                ({ title: step, detail, shards }) =>
                  `${step} ${detail}${(shards[0]?.whole ?? "") === "whole" ? "" : ` (${shards[0]?.whole})`}`,
              )
              .join(", "),
          INNER,
        ),
      ),
    ];
    lines.push(
      `┌${"─".repeat(INNER + 2)}┐`,
      ...text.map((line) => `│ ${padEnd(shortened(line, INNER), INNER)} │`),
      `└${"─".repeat(INNER + 2)}┘`,
    );
    if (i < kinds.length - 1) {
      const leaving = last.leaving.map(({ op, name, instances }) =>
        [instances === 1 ? "" : `${instances} ×`, op, name ?? ""]
          .filter((part) => part !== "")
          .join(" "),
      );
      lines.push(`     ▼ ${leaving.join(", ")}`.trimEnd());
    }
  }
  return lines;
}

interface Kind {
  readonly first: StageDescription;
  last: StageDescription;
  count: number;
}

/** Neighbours that do the same on as many GPUs. */
function alike(stages: readonly StageDescription[]): Kind[] {
  const kinds: Kind[] = [];
  const seen = ({ gpus, blocks }: StageDescription): string =>
    JSON.stringify([
      gpus.length,
      blocks.map(({ times, steps }) => [
        times,
        steps.map(({ title, detail, besides, shards }) => [
          title,
          detail,
          besides,
          shards[0]?.whole,
        ]),
      ]),
    ]);
  for (const stage of stages) {
    const kind = kinds.at(-1);
    if (kind !== undefined && seen(kind.first) === seen(stage)) {
      kind.last = stage;
      kind.count += 1;
    } else {
      kinds.push({ first: stage, last: stage, count: 1 });
    }
  }
  return kinds;
}
