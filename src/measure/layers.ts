// Latency of each layer in one step.

import { isForward, type Program } from "../program/program.ts";
import type { Span, StepTrace } from "../program/trace.ts";
import { type LayerSample, wholeNanoseconds } from "./sample.ts";

/**
 * For each layer and micro-batch, from the first start to the last end of its work over all ranks.
 *
 * Work is what GPUs compute and what moves between them. Waits are left out, since they belong to what
 * was waited for; host work too, since a host may encode a layer long before it runs; and what backward
 * slots hold. A layer that did no such work in a micro-batch is left out.
 *
 * Where kernels of several instructions were timed as one, what each layer took is not known: there are no
 * latencies then, rather than those of the layers that happen to stand alone, less the kernels they lost.
 */
export function layerLatencies(program: Program, trace: StepTrace): LayerSample[] {
  if (trace.ranks.some(({ spans }) => spans.some(isOfSeveral))) return [];
  const extents = new Map<string, Map<number, { start: number; end: number }>>();
  for (const { rank, spans } of trace.ranks) {
    const instructions = program.ranks[rank]?.instructions ?? [];
    for (const { instruction, kind, startMs, endMs } of spans) {
      if (kind === "wait" || kind === "host" || instruction === undefined) continue;
      const own = instructions[instruction];
      if (own === undefined || !isForward(own)) continue;
      const { origin } = own;
      const ofLayer = extents.get(origin.layer) ?? new Map();
      extents.set(origin.layer, ofLayer);
      const extent = ofLayer.get(origin.microBatch) ?? { start: startMs, end: endMs };
      ofLayer.set(origin.microBatch, {
        start: Math.min(extent.start, startMs),
        end: Math.max(extent.end, endMs),
      });
    }
  }
  return program.layers.flatMap((layer) => {
    const ofLayer = extents.get(layer);
    if (ofLayer === undefined) return [];
    const inOrder = [...ofLayer].toSorted(([a], [b]) => a - b);
    return [
      { layer, latencyMs: inOrder.map(([, { start, end }]) => wholeNanoseconds(end - start)) },
    ];
  });
}

function isOfSeveral({ kind, instruction }: Span): boolean {
  return (kind === "compute" || kind === "reduce") && instruction === undefined;
}
