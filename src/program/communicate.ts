// What a plan declares between two stages.

import { type PlacementKind, redistributionOf } from "../plan/placement.ts";
import type { Communication } from "../plan/plan.ts";
import type { NewOp } from "./op.ts";
import { gatherOn } from "./redistribute.ts";
import { joined, sameRanks, type Shard, type ShardedTensor } from "./tensor.ts";
import {
  allGatherColumns,
  allGatherRows,
  allReduce,
  allToAllRows,
  broadcast,
  type Move,
  reduceScatterRows,
  sendPairs,
} from "./transfers.ts";

/** @throws Error where the value is not placed as the communication needs it */
export const communicate = (
  add: (op: NewOp) => void,
  value: ShardedTensor,
  communication: Communication,
): ShardedTensor => {
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
};

/** The shard on the ranks that the communication starts from: summands in any order, of copies any. */
const startedBy = (shard: Shard, { name, from }: Communication): Shard => {
  const { ranks, placement } = shard;
  if (sameRanks(ranks, from)) return shard;
  const holds = from.every((rank) => ranks.includes(rank));
  if (placement.kind === "partial" && holds && from.length === ranks.length) return shard;
  if (placement.kind === "replicate" && holds) return { ...shard, ranks: from };
  throw new Error(
    `${name} starts from ranks ${from.join(", ")}, but the value is on ${ranks.join(", ")}`,
  );
};

const moveBy = ({ op, name }: Communication, move: Move, shard: Shard): Shard => {
  // What one rank holds alone is a whole, a block and a summand at once.
  const is = (kind: PlacementKind): boolean =>
    shard.placement.kind === kind || shard.ranks.length === 1;
  const does = (from: PlacementKind, to: PlacementKind): boolean =>
    is(from) && op === redistributionOf(from, to);
  if (does("columns", "replicate")) return allGatherColumns(move, shard);
  if (does("rows", "replicate")) return allGatherRows(move, shard);
  if (does("partial", "replicate")) return allReduce(move, shard);
  if (does("partial", "rows")) return reduceScatterRows(move, shard);
  if (does("columns", "rows")) return allToAllRows(move, shard);
  if (op === "broadcast" && is("replicate")) return broadcast(move, shard);
  if (op === "send" && is("replicate")) return sendPairs(move, shard);
  throw new Error(`${name}: ${op} of a value that is placed as ${shard.placement.kind}`);
};

/** Data replicas of one rank each are row blocks of one shard. */
const asOneShard = ({ shards, rows }: ShardedTensor): Shard => {
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
    tensor: joined(shards.map((shard) => shard.tensor)),
  };
};
