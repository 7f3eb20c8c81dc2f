// Keys and values of the ranks that share sequences: counted, not run.

import { paddedElements } from "../../kernels/storage.ts";
import { type Shard, whole } from "../tensor.ts";
import { activation, type LayerContext } from "./context.ts";

/**
 * The ranks that share sequences gather all keys and values of them, as context parallelism by all-gather does.
 *
 * @param columnsOf keys and values of one rank of a tensor group, by the group's size
 */
export function gatherContext(
  context: LayerContext,
  shards: readonly Shard[],
  columnsOf: (groupSize: number) => number,
): void {
  const { origin, add, contextRanks } = context;
  for (const [first, { ranks: members, rows }] of shards.entries()) {
    if (first % contextRanks !== 0) continue;
    const peers = shards.slice(first, first + contextRanks);
    const columns = columnsOf(members.length);
    for (const member of members.keys()) {
      const ranks = peers.map((peer) => peer.ranks[member] ?? 0);
      const name = `${origin.layer}/context/${first}/${member}`;
      add({
        op: "collective",
        origin,
        ranks,
        name,
        channelName: name,
        from: ranks,
        to: ranks,
        amount: { kind: "all-gather", counts: ranks.map(() => paddedElements(rows, columns)) },
        slot: 0,
        isCountedOnly: true,
        x: whole(activation(context, "context/own", ranks, [rows, columns])),
        y: whole(activation(context, "context/all", ranks, [contextRanks * rows, columns])),
      });
    }
  }
}
