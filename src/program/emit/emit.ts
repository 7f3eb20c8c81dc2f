// Ops become instructions: for each rank its own, with its buffers.

import { bytesPerElement, paddedElements } from "../../kernels/storage.ts";
import type { Builder } from "../builder.ts";
import type { Content } from "../content.ts";
import type { CopyOp, InputOp, Op } from "../op.ts";
import { isTransfer } from "../transfer_op.ts";
import type { SlotOps } from "../passes/schedule.ts";
import type { OpOrigin, Origin } from "../program.ts";
import type { ServedContent } from "../serving/served.ts";
import type { Scheduling } from "../schedule/scheduling.ts";
import { partOn, whole } from "../tensor.ts";
import type { ActivationMemory } from "./activation_memory.ts";
import { createBuffers } from "./buffers.ts";
import { kernelCallOf } from "./kernel_call.ts";
import { throughOn } from "./through.ts";
import { channelOf, transferOn, type TransferEmission } from "./transfer.ts";

/**
 * Emits the ops of a slot.
 *
 * @param onLayer is told of each layer in whose place forward ops follow
 */
export type Emit = (slot: SlotOps, onLayer?: (layer: string) => void) => void;

export interface Emitter {
  readonly emit: Emit;
  readonly memory: ActivationMemory;
}

/** Emits into `builder`, slot after slot. @param memory of the slots' activations */
export function createEmitter(
  builder: Builder,
  scheduling: Scheduling | undefined,
  memory: ActivationMemory,
): Emitter {
  const bufferOf = createBuffers(builder, scheduling, memory);
  let place: string | undefined;
  const emit: Emit = ({ microBatch, ops }, onLayer) => {
    const origins = new Map<OpOrigin, Origin>();
    for (const op of ops) {
      if (op.place !== place && op.origin.phase === "forward") {
        place = op.place;
        onLayer?.(place);
      }
      const origin = origins.get(op.origin) ?? { ...op.origin, microBatch };
      origins.set(op.origin, origin);
      for (const rank of op.ranks) emitOn({ builder, memory, bufferOf, origin }, op, rank);
    }
  };
  return { emit, memory };
}

function emitOn(emission: TransferEmission, op: Op, rank: number): void {
  const { builder, bufferOf, origin } = emission;
  if (isTransfer(op)) {
    const transfer = transferOn(emission, op, rank);
    builder.emit(
      rank,
      op.isStarted === true ? { op: "start", origin, transfer, block: op.slot } : transfer,
    );
    return;
  }
  switch (op.op) {
    case "input":
      emitInput(emission, op, rank);
      return;
    case "copy":
      emitCopy(emission, op, rank);
      return;
    case "observe": {
      const observation = op.shown[op.ranks.indexOf(rank)];
      if (observation === undefined) return;
      const buffer = bufferOf(rank, op.x, origin);
      builder.emit(rank, { op: "observe", origin, buffer, observation });
      return;
    }
    case "done": {
      const channel = builder.channel(channelOf(op.channelName, origin));
      builder.emit(rank, { op: "done", origin, name: op.name, channel });
      return;
    }
    default: {
      const { call, operands, dtype } = kernelCallOf(op, rank);
      const buffers = operands.map((view) => bufferOf(rank, view, origin));
      builder.kernel(rank, origin, call, buffers, dtype);
    }
  }
}

function emitInput(
  { builder, bufferOf, origin }: TransferEmission,
  { y, ranks, rowsPerMicroBatch, served, isReadAhead }: InputOp,
  rank: number,
): void {
  const content = served?.[ranks.indexOf(rank)] ?? partOn(y, rank)?.content;
  if (content === undefined) throw new Error(`${y.name}: no content on rank ${rank}`);
  builder.emit(rank, {
    op: "input",
    origin,
    buffer: bufferOf(rank, whole(y), origin),
    content: furtherOn(content, origin.microBatch * rowsPerMicroBatch),
    ...(isReadAhead === undefined ? {} : { isReadAhead }),
  });
}

function furtherOn(content: Content | ServedContent, rows: number): Content | ServedContent {
  if (content.kind === "served") return { ...content, firstRow: content.firstRow + rows };
  if (content.kind === "beside" || rows === 0) return content;
  const [first = 0, ...others] = content.offset;
  return { ...content, offset: [first + rows, ...others] };
}

function emitCopy(
  emission: TransferEmission,
  { x, y, xRow, yRow, rows, columns }: CopyOp,
  rank: number,
): void {
  const { builder, bufferOf, origin } = emission;
  const rowBytes = paddedElements(1, columns) * bytesPerElement(x.dtype ?? builder.dtype);
  const bytes = rows * rowBytes;
  builder.emit(rank, {
    op: "copy",
    origin,
    source: bufferOf(rank, whole(x), origin),
    sourceOffset: xRow * rowBytes,
    target: bufferOf(rank, whole(y), origin),
    targetOffset: yRow * rowBytes,
    bytes,
    ...throughOn(emission, rank, x, y, bytes),
  });
}
