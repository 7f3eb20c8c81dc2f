// What an instruction costs the host.

import type { Figure } from "../../measure/figure.ts";
import { formatNumber } from "../../measure/format.ts";
import type { RunResult } from "../../result/result.ts";
import { note, right, table, type Section } from "../section.ts";
import { evidenceOf } from "./evidence.ts";

export function hostOverheadSection({ metrics: { host } }: RunResult): Section {
  const title = "Host overhead, us per instruction";
  if (host.length === 0) return { title, blocks: [] };
  return {
    title,
    blocks: [
      table(
        right("rank", "instructions", "encode", "submit", "map", "wake", "sum"),
        host.map(({ rank, instructions, encodeMs, submitMs, mapMs, wakeMs, sumMs }) => ({
          cells: [
            String(rank),
            String(instructions),
            ...[encodeMs, submitMs, mapMs, wakeMs, sumMs].map(microseconds),
          ],
        })),
      ),
      note(
        `${evidenceOf(host[0]?.sumMs).join("")}, medians of CPU time of the host's thread (off Linux: wall time), ` +
          "whether or not the GPU worked meanwhile. wake: wall time from the end of the last kernel until the host " +
          "goes on",
      ),
    ],
  };
}

function microseconds({ value }: Figure): string {
  return formatNumber(value * 1000);
}
