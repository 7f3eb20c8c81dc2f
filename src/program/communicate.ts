// What a plan declares between two stages.

import { startsWhereItLies, takenBy } from "../plan/placement.ts";
import type { Communication } from "../plan/plan.ts";
import type { NewOp } from "./op.ts";
import { gatherOn } from "./redistribute.ts";
import { joinTensors, sameRanks, type Shard, type ShardedTensor } from "./tensor.ts";
import {
  allGatherColumns,
  allGatherRows,
  allReduceRows,
  allToAllRows,
  broadcastRows,
  type Move,
  reduceScatterRows,
  sendPairs,
} from "./transfers.ts";

/** @throws Error where the value is not placed as the communication needs it */
export function communicate(
  add: (op: NewOp) => void,
  value: ShardedTensor,
  communication: Communication,
): ShardedTensor {
  const move: Move = {
    add,
    origin: value.origin,
    name: communication.name,
    columns: value.columns,
    to: communication.to,
  };
  const isOfWhole = communication.op === "broadcast" || communication.op === "send";
  const held = asOneShard(value);
  const shard =
    isOfWhole && held.placement.kind === "columns"
      ? gatherOn({ ...move, name: `${move.name}/whole`, to: held.ranks }, held)
      : held;
  return { ...value, shards: [moveBy(communication, move, startedBy(shard, communication))] };
}

/** The shard on the ranks that the communication starts from: summands in any order, of copies any. */
function startedBy(shard: Shard, { name, from }: Communication): Shard {
  const { ranks, placement } = shard;
  if (sameRanks(ranks, from)) return shard;
  if (startsWhereItLies(from, placement.kind, ranks)) {
    return placement.kind === "replicate" ? { ...shard, ranks: from } : shard;
  }
  throw new Error(
    `${name} starts from ranks ${from.join(", ")}, but the value is on ${ranks.join(", ")}`,
  );
}

function moveBy({ op, name }: Communication, move: Move, shard: Shard): Shard {
  const { kind } = shard.placement;
  const taken = takenBy(op, kind, shard.ranks.length === 1);
  if (taken === undefined) throw new Error(`${name}: ${op} of a value that is placed as ${kind}`);
  switch (op) {
    case "all-gather":
      return taken === "columns" ? allGatherColumns(move, shard) : allGatherRows(move, shard);
    case "all-reduce":
      return allReduceRows(move, shard);
    case "reduce-scatter":
      return reduceScatterRows(move, shard);
    case "all-to-all":
      return allToAllRows(move, shard);
    case "broadcast":
      return broadcastRows(move, shard);
    case "send":
      return sendPairs(move, shard);
  }
}

/** Data replicas of one rank each are row blocks of one shard. */
function asOneShard({ shards, rows }: ShardedTensor): Shard {
  const [first] = shards;
  if (first === undefined) throw new Error("a value without shards");
  if (shards.length === 1) return first;
  const { tensor } = first;
  if (shards.some((shard) => shard.ranks.length !== 1 || shard.tensor.name !== tensor.name)) {
    throw new Error(
      "a declared communication needs one tensor group, or replicas of one rank each",
    );
  }
  return {
    ranks: shards.flatMap((shard) => shard.ranks),
    rowOffset: 0,
    rows,
    placement: { kind: "rows", rows: shards.map((shard) => shard.rows) },
    tensor: joinTensors(shards.map((shard) => shard.tensor)),
  };
}
