// Hears a plan's program as it is lowered: of its first micro-batch, of which nothing is kept.

import type { ActivationMemory } from "./emit/activation_memory.ts";
import { loweringTogether } from "./lower.ts";
import type { Repeats } from "./repeats.ts";
import { inPhaseOrder } from "./serving/phase_plan.ts";
import { createStream, type Sink } from "./stream.ts";

export type Listener = Sink & { begin?(layer: string): void };

/**
 * Lowers the first micro-batch, which all others are like, and hands on what comes.
 *
 * @param beside of whose steps only the memory is handed on
 */
export function listen(repeats: Repeats, sink: Listener, beside?: Repeats): ActivationMemory {
  let isBeside = false;
  const { hardware, workload } = repeats.plan;
  const stream = createStream(hardware.gpus, workload.dtype, {
    allocate: (...allocated) => sink.allocate(...allocated),
    retain: (...retained) => void (isBeside || sink.retain?.(...retained)),
    add: (...added) => void (isBeside || sink.add(...added)),
  });
  const all = inPhaseOrder(beside === undefined ? [repeats] : [repeats, beside]);
  const lowered = loweringTogether(all, stream, 1);
  const own = lowered[all.indexOf(repeats)];
  const other = lowered.find((each) => each !== own);
  if (own === undefined) throw new Error("nothing to be lowered");
  for (const slot of own.slots) own.emit(slot, (layer) => sink.begin?.(layer));
  isBeside = true;
  for (const slot of other?.slots ?? []) other?.emit(slot);
  stream.end();
  return own.memory;
}
