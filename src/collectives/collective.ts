// This rank's part of any collective.

import { givenIn, handedOutIn, type SizedCollective } from "../program/exchange/exchanges.ts";
import { addsOnHost } from "../program/exchange/algorithm.ts";
import { isAllReduce, passesOn, reduces } from "../program/exchange/sums.ts";
import type { Collective } from "../program/program.ts";
import { addOnHost } from "./add_on_host.ts";
import type { CollectiveContext } from "./context.ts";
import { runExchange } from "./exchange.ts";
import { expertCombine } from "./expert_combine.ts";
import { expertDispatch } from "./expert_dispatch.ts";
import { laneOf } from "./lanes.ts";
import { createMilestones, type Milestones } from "./milestones.ts";
import { createParts, type Parts } from "./parts.ts";
import { passOn } from "./pass_on.ts";
import { runReduce } from "./reduce.ts";
import { sumSlices } from "./sum_slices.ts";
import { sumsSlices } from "./where_sums.ts";

/**
 * Resolves when this rank's GPU has been given everything. Any number may run at the same time on a rank,
 * on channels and workspaces of their own, each with a context of its own.
 */
export async function runCollective(
  context: CollectiveContext,
  collective: Collective,
): Promise<void> {
  const parts = createParts(context);
  if (collective.op === "expert-dispatch") return expertDispatch(parts, collective);
  if (collective.op === "expert-combine") return expertCombine(parts, collective);
  if (!reduces(collective) || collective.from.length < 2) return give(parts, collective);
  if (isAllReduce(collective)) {
    if (addsOnHost(collective)) return addOnHost(parts, collective);
    if (sumsSlices(collective, parts.rank, parts.isSoftware)) return sumSlices(parts, collective);
  }
  const summed = createMilestones();
  const handOut = isAllReduce(collective) ? handedOutIn(collective) : undefined;
  await Promise.all([
    isAllReduce(collective) && passesOn(collective)
      ? passOn(parts, collective, laneOf(collective.channel, 0), summed)
      : add(parts, collective, summed),
    handOut === undefined
      ? undefined
      : runExchange(parts, {
          exchange: handOut,
          lane: laneOf(collective.channel, 1),
          dtype: collective.dtype,
          send: collective.receive,
          receive: collective.receive,
          ready: async (k) => summed.reached(k + 1),
        }),
  ]);
}

const give = async (parts: Parts, collective: SizedCollective): Promise<void> => {
  const { channel, dtype, send, receive } = collective;
  return runExchange(parts, {
    exchange: givenIn(collective),
    lane: laneOf(channel, 0),
    dtype,
    send,
    receive,
  });
};

const add = async (
  parts: Parts,
  collective: SizedCollective,
  summed: Milestones,
): Promise<void> => {
  const { channel, dtype, send } = collective;
  return runReduce(parts, {
    exchange: givenIn(collective),
    lane: laneOf(channel, 0),
    dtype,
    send,
    onSummed: summed.pass,
  });
};
