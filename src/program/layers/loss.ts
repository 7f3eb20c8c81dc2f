// The loss of a training step, from the result of the last layer. Cross-entropy over a vocabulary that ranks have blocks of
// gathers four numbers a row and never the logits (Shoeybi et al. 2019, section 3).

import type { Loss } from "../../plan/loss.ts";
import type { Optimizer } from "../../plan/optimizer.ts";
import type { Content } from "../content.ts";
import type { Observation } from "../observation.ts";
import { readAhead } from "../token_source.ts";
import {
  membersOf,
  type Shard,
  type ShardedTensor,
  type Tensor,
  type TensorPart,
  whole,
} from "../tensor.ts";
import { activation, activationTensor, type LayerContext, orderOf } from "./context.ts";

/** @param value neither of partial sums nor split both ways */
export function lossOps(
  context: LayerContext,
  loss: Loss,
  { lossScale }: Optimizer,
  value: ShardedTensor,
): void {
  const rows = value.rows * context.workload.microBatches;
  for (const shard of value.shards) {
    if (loss.kind === "cross-entropy") {
      crossEntropy(context, loss.vocabulary, shard, value, lossScale / rows);
    } else {
      squaredError(context, shard, value, lossScale / (rows * value.columns));
    }
  }
}

function crossEntropy(
  context: LayerContext,
  vocabulary: number,
  shard: Shard,
  { rows: microBatchRows, columns }: ShardedTensor,
  scale: number,
): void {
  const { origin, add, workload } = context;
  const { ranks, tensor: logits, placement } = shard;
  const allTokens = workload.batch * workload.sequence;
  const labels = inputOn(context, "labels", shard, microBatchRows, (first, rows) => ({
    kind: "ids",
    tensor: "ids",
    vocabulary,
    shape: [allTokens],
    offset: [first],
    size: [rows],
    ahead: 1,
    ...orderOf(context),
  }));
  const isSplit = placement.kind === "columns" && ranks.length > 1;
  const members = membersOf(shard);
  const rowsOf = (member: number): number => members[member]?.rows ?? 0;
  const own = perMember(context, "loss/own", shard, (member) => [rowsOf(member), 4]);
  const blocks = isSplit ? ranks.length : 1;
  add({
    op: "loss-statistics",
    origin,
    ranks,
    logits,
    labels,
    ...columnsOf(shard, columns),
    y: own,
  });
  const statistics = isSplit
    ? activation(context, "loss/all", ranks, [blocks * rowsOf(0), 4], "f32")
    : own;
  if (isSplit) {
    const name = `${origin.layer}/loss/${ranks[0]}`;
    add({
      op: "collective",
      origin,
      ranks,
      name,
      channelName: name,
      from: ranks,
      to: ranks,
      amount: { kind: "all-gather", counts: ranks.map(() => 4 * rowsOf(0)) },
      slot: 0,
      x: whole(own),
      y: whole(statistics),
    });
  }
  const losses = perMember(context, "loss/rows", shard, (member) => [rowsOf(member)]);
  add({
    op: "cross-entropy",
    origin,
    ranks,
    logits,
    labels,
    statistics,
    blocks,
    scale,
    ...columnsOf(shard, columns),
    losses,
  });
  show(context, shard, losses);
}

/** Blocks of columns that the members hold, and how many columns there are. */
function columnsOf({ placement, ranks }: Shard, columns: number) {
  const isSplit = placement.kind === "columns" && ranks.length > 1;
  return { ownColumns: isSplit ? columns / ranks.length : columns, isSplit };
}

function squaredError(
  context: LayerContext,
  shard: Shard,
  { rows: microBatchRows, columns }: ShardedTensor,
  scale: number,
): void {
  const { origin, add, workload } = context;
  const { ranks, tensor, placement } = shard;
  const isSplit = placement.kind === "columns" && ranks.length > 1;
  const own = isSplit ? columns / ranks.length : columns;
  const allRows = microBatchRows * workload.microBatches;
  const targets = inputOn(context, "targets", shard, microBatchRows, (first, rows, member) => ({
    kind: "uniform",
    tensor: "targets",
    center: 0,
    scale: 1,
    shape: [allRows, columns],
    offset: [first, isSplit ? member * own : 0],
    size: [rows, own],
    ...orderOf(context),
  }));
  const members = membersOf(shard);
  const losses = perMember(context, "loss/rows", shard, (member) => [members[member]?.rows ?? 0]);
  add({ op: "squared-error", origin, ranks, x: tensor, targets, scale, losses });
  show(context, shard, losses, isSplit);
}

/** What the host writes for each member's rows. */
function inputOn(
  { origin, workload, add }: LayerContext,
  name: string,
  shard: Shard,
  rowsPerMicroBatch: number,
  contentOf: (first: number, rows: number, member: number) => Content,
): Tensor {
  const { ranks, rowOffset } = shard;
  const held = membersOf(shard).map(({ first, rows }, member): TensorPart => {
    const content = contentOf(rowOffset + first, rows, member);
    return { shape: "size" in content ? content.size : [], content };
  });
  const [first] = held;
  const isIds = first?.content?.kind === "ids";
  const y: Tensor = {
    name,
    layer: origin.layer,
    role: "input",
    ...(isIds ? { dtype: "u32" } : {}),
    parts: { ranks, held },
  };
  add({ op: "input", origin, ranks, y, rowsPerMicroBatch, ...(isIds ? readAhead(workload) : {}) });
  return y;
}

/** f32 of each member. */
function perMember(
  context: LayerContext,
  part: string,
  { ranks }: Shard,
  shapeOf: (member: number) => readonly number[],
): Tensor {
  const held = ranks.map((_, member): TensorPart => ({ shape: shapeOf(member) }));
  return activationTensor(context, part, { ranks, held }, "f32");
}

/** Losses to the check. @param areSummands each member has what its columns add */
function show(
  { origin, add }: LayerContext,
  shard: Shard,
  losses: Tensor,
  areSummands = false,
): void {
  const { ranks, rowOffset, placement } = shard;
  const shown = membersOf(shard).map(({ first, rows }, member): Observation => ({
    kind: "loss",
    rowOffset: rowOffset + first,
    rows,
    copy: placement.kind === "rows" ? 0 : member,
    ...(areSummands ? { isSummand: true } : {}),
  }));
  add({ op: "observe", origin, ranks, x: { tensor: losses }, shown });
}
