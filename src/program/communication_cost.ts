// Every collective of a plan against the least: what arrives at its GPUs, and how many hops one after the other that
// takes. The least is what any algorithm must bring to the GPUs that read the result, given what they hold before.

import { bytesPerElement } from "../kernels/storage.ts";
import type { Plan } from "../plan/plan.ts";
import { listen } from "./listen.ts";
import { algorithmOf, broadcastsSums } from "./exchange/all_reduce/algorithms.ts";
import { isAllReduce } from "./exchange/sums.ts";
import { leastAt, readersOf, type Excess } from "./least_bytes.ts";
import { layerName } from "./plan_ops.ts";
import { collectiveOf, isForward, type Collective } from "./program.ts";
import { everyLayer } from "./repeats.ts";
import { stepPlan } from "./serving/phase_plan.ts";
import { oneOfAlike } from "./symmetry.ts";
import { createWireCount } from "./wire.ts";

/** The collectives of one kind that one layer needs. */
export interface CommunicationCost {
  /** A send and its receive are one "send". */
  readonly op: Exclude<Collective["op"], "recv">;
  readonly layer: string;
  /** The plan's name for it; absent where it follows from the layer. */
  readonly name?: string;
  /** Messages that it leaves in, one after the other, beside the computing of the next. 1: whole. */
  readonly blocks: number;
  /** From GPU to GPU before one block of it is over. */
  readonly hops: number;
  /** Whether fewer hops would bring more bytes. */
  readonly hopsSaveBytes: boolean;
  /** The GPU that gets most beyond the least; bytes per step. */
  readonly worst: {
    readonly gpu: number;
    readonly received: number;
    readonly least: number;
    /** Why it could be less. */
    readonly excess: Excess;
  };
}

/** @param whole as for `estimatePlan`; of serving a decode step is looked at */
export function communicationCosts(whole: Plan): CommunicationCost[] {
  const plan = stepPlan(whole);
  const symmetry = oneOfAlike(plan);
  const { microBatches } = plan.workload;
  const own = symmetry.plan;
  const wire = createWireCount();
  const readers = readersOf(own);
  const placeOf = new Map(
    own.stages.flatMap((stage) =>
      stage.layers.map((layer, at) => [layerName(stage, layer), { stage, layer, at }] as const),
    ),
  );
  const declared = new Set(plan.communications.map(({ name }) => name));
  const open = new Map<string, Open>();
  listen(everyLayer(own), {
    allocate() {},
    add(rank, instruction) {
      const collective = collectiveOf(instruction);
      if (collective === undefined || !isForward(instruction)) return;
      const { layer } = instruction.origin;
      const name = declaredName(collective.name, declared);
      const op = collective.op === "recv" ? "send" : collective.op;
      const key = `${op} ${layer} ${name ?? ""}`;
      const cost = open.get(key) ?? newCost(op, layer, name);
      open.set(key, cost);
      const { received } = wire(collective, rank);
      const place = placeOf.get(layer);
      const { least, excess } = leastAt(collective, rank, received, place, readers.get(layer));
      const at = cost.receivedByRank.get(rank) ?? { received: 0, least: 0 };
      cost.receivedByRank.set(rank, { received: at.received + received, least: at.least + least });
      cost.excess = excess;
      cost.hops = Math.max(cost.hops, hopsOf(collective));
      cost.hopsSaveBytes ||= savesBytes(collective, rank, received);
      if (instruction.op === "start") cost.blocks = Math.max(cost.blocks, instruction.block + 1);
    },
  });
  return [...open.values()].map(({ receivedByRank, excess, ...cost }) => {
    const worst = [...receivedByRank].reduce((most, each) => (isWorse(each, most) ? each : most));
    const [rank, { received, least }] = worst;
    return {
      ...cost,
      worst: {
        gpu: symmetry.inCopy(rank, 0),
        received: received * microBatches,
        least: least * microBatches,
        excess,
      },
    };
  });
}

interface Received {
  readonly received: number;
  readonly least: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

type Open = Mutable<Omit<CommunicationCost, "worst">> & {
  readonly receivedByRank: Map<number, Received>;
  excess: Excess;
};

function newCost(op: CommunicationCost["op"], layer: string, name: string | undefined): Open {
  return {
    op,
    layer,
    ...(name === undefined ? {} : { name }),
    blocks: 1,
    hops: 1,
    hopsSaveBytes: false,
    receivedByRank: new Map(),
    excess: "added-again",
  };
}

type OfRank = readonly [rank: number, received: Received];

/** More beyond the least; of as much, more at all. */
function isWorse([, a]: OfRank, [, b]: OfRank): boolean {
  const difference = a.received - a.least - (b.received - b.least);
  return difference > 0 || (difference === 0 && a.received > b.received);
}

/** Blocks and pairs of a declared communication are named after the whole, with something behind a slash. */
function declaredName(name: string, declared: ReadonlySet<string>): string | undefined {
  for (let end = name.length; end > 0; end = name.lastIndexOf("/", end - 1)) {
    const whole = name.slice(0, end);
    if (declared.has(whole)) return whole;
  }
  return undefined;
}

/** One after the other. */
function hopsOf(collective: Collective): number {
  return isAllReduce(collective) ? algorithmOf(collective).hops(collective.from.length) : 1;
}

/** Whether the rank would get more if every reader added all summands itself. */
function savesBytes(collective: Collective, rank: number, received: number): boolean {
  if (!isAllReduce(collective) || !broadcastsSums(collective)) return false;
  const { from, to, count, dtype } = collective;
  if (!to.includes(rank)) return false;
  const direct = (from.length - (from.includes(rank) ? 1 : 0)) * count * bytesPerElement(dtype);
  return received < 0.98 * direct;
}
