// This rank's part of any collective.

import { addsOnHost } from "../program/exchange/all_reduce/algorithms.ts";
import { broadcastPhase } from "../program/exchange/all_reduce/broadcast_phase.ts";
import { laneOf } from "../program/exchange/lanes.ts";
import { exchangeOf } from "../program/exchange/operations.ts";
import { isAllReduce, reduces } from "../program/exchange/sums.ts";
import type { AllReduce, Collective } from "../program/program.ts";
import type { CollectiveContext } from "./context.ts";
import { runExchange } from "./exchange.ts";
import { runExpertCombine } from "./expert_combine.ts";
import { runExpertDispatch } from "./expert_dispatch.ts";
import { addOnHost } from "./host_sums/add_on_host.ts";
import { sumSlices } from "./host_sums/sum_slices.ts";
import { sumsSlices } from "./host_sums/where_sums.ts";
import { createMilestones, type Milestones } from "./milestones.ts";
import { createParts, type Parts } from "./parts.ts";
import { runReduce } from "./reduce.ts";

/**
 * Resolves when this rank's GPU has been given everything. Any number may run at the same time on a rank,
 * on channels and workspaces of their own, each with a context of its own.
 */
export async function runCollective(
  context: CollectiveContext,
  collective: Collective,
): Promise<void> {
  const parts = createParts(context);
  if (collective.op === "expert-dispatch") return runExpertDispatch(parts, collective);
  if (collective.op === "expert-combine") return runExpertCombine(parts, collective);
  if (!reduces(collective) || collective.from.length < 2) {
    const { channel, dtype, send, receive, through } = collective;
    const exchange = exchangeOf(collective);
    return runExchange(parts, {
      exchange,
      lane: laneOf(channel, 0),
      dtype,
      send,
      receive,
      through,
    });
  }
  if (!isAllReduce(collective)) return runReduce(parts, collective, createMilestones());
  if (addsOnHost(collective)) return addOnHost(parts, collective);
  if (sumsSlices(collective, parts.rank, parts.isSoftware)) return sumSlices(parts, collective);
  const summed = createMilestones();
  await Promise.all([
    runReduce(parts, collective, summed),
    broadcastSums(parts, collective, summed),
  ]);
}

async function broadcastSums(
  parts: Parts,
  reduction: AllReduce,
  summed: Milestones,
): Promise<void> {
  const exchange = broadcastPhase(reduction);
  if (exchange === undefined) return;
  const { channel, dtype, receive } = reduction;
  await runExchange(parts, {
    exchange,
    lane: laneOf(channel, 1),
    dtype,
    send: receive,
    receive,
    ready: async (k) => summed.reached(k + 1),
  });
}
