// Where the time of a run went.

import type { RunResult } from "../../result/result.ts";
import { paragraph, type Section } from "../section.ts";

export function phasesSection({ phases = [] }: Pick<RunResult, "phases">): Section {
  if (phases.length === 0) return { blocks: [] };
  const all = phases.reduce((sum, { ms }) => sum + ms, 0);
  const each = phases.map(({ phase, ms }) => `${phase} ${seconds(ms)}`).join(", ");
  return { blocks: [paragraph(`${seconds(all)} s in all: ${each}`, "faint")] };
}

/** To a tenth. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
