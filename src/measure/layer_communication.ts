// How much of each layer's communication a step hides behind computation.

import { collectiveOf, type Program } from "../program/program.ts";
import type { RankTrace, Span, StepTrace } from "../program/trace.ts";
import { intersect, lengthOf, merge, type Interval } from "./intervals.ts";
import type { CommunicationSample } from "./sample.ts";

/**
 * For each layer, on the rank that spends most time on its communication: how long a kernel of the model ran
 * meanwhile on that rank, and how long none did. A collective's time is all that its rank spends on it,
 * waiting for the other ranks included, as a profiler sees a communication kernel.
 */
export const layerCommunication = (program: Program, trace: StepTrace): CommunicationSample[] => {
  const perLayer = new Map<string, CommunicationSample>();
  for (const rank of trace.ranks) {
    const computing = merge(
      rank.spans.flatMap((span) => (span.kind === "compute" ? [timesOf(span)] : [])),
    );
    for (const [layer, times] of communicationOf(program, rank)) {
      const all = merge(times);
      const hiddenMs = lengthOf(intersect(all, computing));
      const own = { layer, hiddenMs, exposedMs: lengthOf(all) - hiddenMs };
      const most = perLayer.get(layer);
      if (most === undefined || totalOf(own) > totalOf(most)) perLayer.set(layer, own);
    }
  }
  return program.layers.flatMap((layer) => perLayer.get(layer) ?? []);
};

const communicationOf = (program: Program, { rank, spans }: RankTrace): Map<string, Interval[]> => {
  const instructions = program.ranks[rank]?.instructions ?? [];
  const perLayer = new Map<string, Interval[]>();
  for (const span of spans) {
    const instruction = instructions[span.instruction ?? -1];
    if (instruction === undefined || span.kind === "compute" || span.kind === "host") continue;
    if (collectiveOf(instruction) === undefined || instruction.origin.standIn === true) continue;
    const { layer } = instruction.origin;
    const times = perLayer.get(layer) ?? [];
    perLayer.set(layer, times);
    times.push(timesOf(span));
  }
  return perLayer;
};

const timesOf = ({ startMs, endMs }: Span): Interval => [startMs, endMs];

const totalOf = ({ hiddenMs, exposedMs }: CommunicationSample): number => hiddenMs + exposedMs;
