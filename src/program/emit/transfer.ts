// A transfer as each rank that takes part sees it.

import {
  bytesPerElement,
  paddedElements,
  rowPitch,
  type StorageType,
} from "../../kernels/storage.ts";
import { type Builder, tensorBytes } from "../builder.ts";
import { reduces } from "../exchange/sums.ts";
import { workspaceOf } from "../exchange/workspace.ts";
import type { CollectiveOp, ExpertTransferOp, Transfer } from "../transfer_op.ts";
import { givenBy } from "../operands.ts";
import type { Collective, Origin } from "../program.ts";
import { partOn, whole } from "../tensor.ts";
import type { ActivationMemory } from "./activation_memory.ts";
import { keepsPiece } from "./apart.ts";
import type { BufferOf } from "./buffers.ts";
import { shapeOn } from "./sizes.ts";
import { throughOn } from "./through.ts";

export interface TransferEmission {
  readonly builder: Builder;
  readonly memory: ActivationMemory;
  readonly bufferOf: BufferOf;
  readonly origin: Origin;
}

/** Each phase of serving has channels of its own. */
export function channelOf(name: string, { serves }: Origin): string {
  return serves === undefined ? name : `${serves} ${name}`;
}

export function transferOn(emission: TransferEmission, op: Transfer, rank: number): Collective {
  const transfer =
    op.op === "collective"
      ? collectiveOn(emission, op, rank)
      : expertTransferOn(emission, op, rank);
  return keepsPiece(op, rank) ? { ...transfer, ...ownThrough(emission, op, rank) } : transfer;
}

/** What the rank keeps of what it sends is at most all that it holds. */
function ownThrough(
  emission: TransferEmission,
  op: Transfer,
  rank: number,
): Pick<Collective, "through"> {
  const [x, y] = op.op === "collective" ? [op.x, op.y.tensor] : [whole(op.x), op.y];
  const bytes = tensorBytes(shapeOn(x, rank), x.tensor.dtype ?? emission.builder.dtype);
  return throughOn(emission, rank, x.tensor, y, bytes);
}

function collectiveOn(
  { builder, bufferOf, origin }: TransferEmission,
  op: CollectiveOp,
  rank: number,
): Collective {
  const { from, to, x, y, name, slot } = op;
  // Words of tables are moved as they are.
  const dtype: StorageType = (x.tensor.dtype ?? builder.dtype) === "f16" ? "f16" : "f32";
  const member = from.indexOf(rank);
  if (member >= 0 && to.some((target) => target !== rank)) {
    builder.staging(rank, givenBy(op, member) * bytesPerElement(dtype), slot);
  }
  const common = {
    origin,
    name,
    channel: builder.channel(channelOf(op.channelName, origin)),
    dtype,
    from,
    to,
    ...(member >= 0 ? { send: bufferOf(rank, x, origin) } : {}),
    ...(to.includes(rank) ? { receive: bufferOf(rank, y, origin) } : {}),
  };
  const transfer = withAmount(common, op.amount, member >= 0);
  // A sum needs room for its summands.
  const { bytes } = reduces(transfer) ? workspaceOf(transfer, rank) : { bytes: 0 };
  return bytes === 0 ? transfer : { ...transfer, workspace: builder.workspace(rank, bytes, slot) };
}

type Common = Pick<
  Collective,
  "origin" | "name" | "channel" | "dtype" | "from" | "to" | "send" | "receive"
>;

function withAmount(common: Common, amount: CollectiveOp["amount"], isSender: boolean): Collective {
  switch (amount.kind) {
    case "all-reduce":
    case "broadcast":
      return { op: amount.kind, ...common, count: amount.count };
    case "send":
      return { op: isSender ? "send" : "recv", ...common, count: amount.count };
    case "all-gather":
    case "reduce-scatter":
      return { op: amount.kind, ...common, counts: amount.counts };
    case "all-to-all":
      return { op: amount.kind, ...common, counts: amount.counts };
  }
}

function expertTransferOn(
  { builder, bufferOf, origin }: TransferEmission,
  op: ExpertTransferOp,
  rank: number,
): Collective {
  const { from, to, name, columns, expertsPerRank, capacity, rows, slot } = op;
  const buffer = (tensor: ExpertTransferOp["x"]): string => bufferOf(rank, whole(tensor), origin);
  const sends = from.includes(rank);
  const receives = to.includes(rank);
  const isDispatch = op.op === "expert-dispatch";
  const [sentRows = 0] = sends ? (partOn(op.x, rank)?.shape ?? []) : [];
  const tableWords = sends && isDispatch ? (partOn(op.counts, rank)?.shape[0] ?? 0) : 0;
  const bytes = paddedElements(sentRows, columns) * bytesPerElement(builder.dtype) + 4 * tableWords;
  builder.staging(rank, bytes, slot);
  const common = {
    origin,
    name,
    channel: builder.channel(channelOf(op.channelName, origin)),
    dtype: builder.dtype,
    rows,
    rowElements: rowPitch(columns),
    expertsPerRank,
    ...(capacity === undefined ? {} : { capacity }),
    from,
    to,
    ...(sends ? { send: buffer(op.x) } : {}),
    ...(receives ? { receive: buffer(op.y) } : {}),
  };
  return isDispatch
    ? {
        op: "expert-dispatch",
        ...common,
        ...(sends ? { counts: buffer(op.counts), kept: buffer(op.kept) } : {}),
        ...(receives ? { offsets: buffer(op.offsets) } : {}),
      }
    : {
        op: "expert-combine",
        ...common,
        dispatch: builder.channel(channelOf(op.dispatchName, origin)),
      };
}
