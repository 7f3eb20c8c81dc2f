// What the memory of the fullest rank holds while a step goes on.

import { formatBytes } from "../../measure/format.ts";
import type { Plan } from "../../plan/plan.ts";
import { type LiveBytes, liveMemory } from "../../program/live_memory.ts";
import { lower } from "../../program/lower.ts";
import type { RunResult } from "../../result/result.ts";
import { drawing, type Drawing } from "../section.ts";
import { rolesOf } from "./memory_roles.ts";

/** More than a screen has columns to show. */
const mostPoints = 400;

/** None for a plan that serves, whose steps differ. */
export function memoryOverTime(plan: Plan, { estimate, trace }: RunResult): Drawing[] {
  if (plan.workload.mode === "serving") return [];
  const fullest = estimate.ranks.toSorted((a, b) => b.memoryBytes - a.memoryBytes)[0];
  const program = fullest && lower(plan).ranks[fullest.rank];
  if (fullest === undefined || program === undefined) return [];
  const live = liveMemory(program);
  const own = trace?.ranks.find(({ rank }) => rank === fullest.rank);
  const startMs = new Map<number, number>();
  for (const { instruction, startMs: at } of own?.spans ?? []) {
    if (instruction === undefined || startMs.has(instruction)) continue;
    startMs.set(instruction, at - (own?.startMs ?? 0));
  }
  const timed = startMs.size > 0;
  const roles = rolesOf([fullest]);
  const bytesOf = (of: LiveBytes): number[] =>
    roles.map((column) => column.roles.reduce((sum, role) => sum + (of[role] ?? 0), 0));
  const points = live
    .flatMap((of, i) => {
      const at = timed ? startMs.get(i) : i;
      return at === undefined ? [] : [{ at, values: bytesOf(of) }];
    })
    .toSorted((a, b) => a.at - b.at);
  if (points.length < 2) return [];
  const most = Math.max(...points.map(({ values }) => total(values)));
  const { memoryPerGpu } = plan.hardware;
  const budget =
    memoryPerGpu === undefined ? "" : `; the plan's memory per GPU is ${formatBytes(memoryPerGpu)}`;
  const isNear = memoryPerGpu !== undefined && memoryPerGpu < 4 * fullest.memoryBytes;
  return [
    drawing(
      `What rank ${fullest.rank}'s memory holds in a step that is still needed: at most ${formatBytes(most)} of the ` +
        `${formatBytes(fullest.memoryBytes)} that are allocated${budget}`,
      {
        form: "areas",
        unit: "B",
        timeLabel: timed ? "ms" : "instruction",
        names: roles.map(({ title }) => title),
        points: fewer(points),
        // A line far above everything else would leave nothing of it to be seen.
        ...(isNear ? { limit: memoryPerGpu } : {}),
      },
    ),
  ];
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Of points beside each other the one at which most is held: none of the peaks goes. */
function fewer<Point extends { readonly values: readonly number[] }>(
  points: readonly Point[],
): Point[] {
  const together = Math.ceil(points.length / mostPoints);
  return Array.from({ length: Math.ceil(points.length / together) }, (_, i) =>
    points
      .slice(i * together, (i + 1) * together)
      .reduce((most, point) => (total(point.values) > total(most.values) ? point : most)),
  );
}
