// What an instruction costs the host, per rank.

import type { HostItems } from "../program/trace.ts";
import { byRun, figureOf, type Conditions } from "./figures.ts";
import type { HostMetrics } from "./metrics.ts";
import type { StepSample } from "./sample.ts";

/** One entry per rank that ran an instruction. */
export function hostMetrics(samples: readonly StepSample[], conditions: Conditions): HostMetrics[] {
  return (samples[0]?.ranks ?? []).flatMap(({ rank }) => {
    const own = samples.flatMap(({ run, ranks }) => {
      const items = ranks.find((each) => each.rank === rank)?.hostItems;
      return items === undefined || items.instructions === 0 ? [] : [{ run, items }];
    });
    const perInstruction = (ms: (items: HostItems) => number) =>
      figureOf(
        byRun(own, ({ items }) => ms(items) / items.instructions),
        "ms",
        conditions,
      );
    const encodeMs = perInstruction((items) => items.encodeMs);
    const submitMs = perInstruction((items) => items.submitMs);
    const mapMs = perInstruction((items) => items.mapMs);
    const wakeMs = perInstruction((items) => items.wakeMs);
    const sumMs = perInstruction(
      (items) => items.encodeMs + items.submitMs + items.mapMs + items.wakeMs,
    );
    const [first] = own;
    if (!first || !encodeMs || !submitMs || !mapMs || !wakeMs || !sumMs) return [];
    return [
      { rank, instructions: first.items.instructions, encodeMs, submitMs, mapMs, wakeMs, sumMs },
    ];
  });
}
