import { bytesPerElement } from "../kernels/storage.ts";
import { laneOf } from "../program/exchange/lanes.ts";
import { starts, sum } from "../program/exchange/pieces.ts";
import type { ExpertDispatch } from "../program/program.ts";
import { runExchange } from "./exchange.ts";
import {
  acceptRows,
  dispatchPieces,
  type ExpertSplits,
  receivedRows,
  splitKey,
} from "./expert_splits.ts";
import type { Parts } from "./parts.ts";
import { readStaging, takeStaging } from "./send.ts";

/**
 * Rows go to the ranks of their experts. Sizes are the router's, so all who take part first tell each
 * other how many rows they have per expert, on the same channel.
 */
export async function runExpertDispatch(parts: Parts, instruction: ExpertDispatch): Promise<void> {
  const counts = await shareCounts(parts, instruction);
  const splits: ExpertSplits = {
    sources: instruction.from,
    experts: instruction.to,
    expertsPerRank: instruction.expertsPerRank,
    counts,
    kept: acceptRows(counts, instruction.capacity),
  };
  parts.splits.set(splitKey(instruction.channel, instruction.origin.microBatch), splits);

  const rowBytes = instruction.rowElements * bytesPerElement(instruction.dtype);
  const { name, channel, dtype, from, to, send, receive, through } = instruction;
  await runExchange(parts, {
    exchange: {
      name,
      from,
      to,
      same: false,
      pieces: (i, j) => dispatchPieces(splits, i, j, rowBytes),
    },
    lane: laneOf(channel, 0),
    dtype,
    send,
    receive,
    through,
  });
  tellKernels(parts, instruction, splits);
}

/** Counts of every source, in source order. */
async function shareCounts(
  parts: Parts,
  { channel, from, to, counts, expertsPerRank, name }: ExpertDispatch,
): Promise<number[][]> {
  const { rank, communicator } = parts;
  const lane = laneOf(channel, 0);
  const bySource = new Map<number, number[]>();
  if (from.includes(rank)) {
    if (counts === undefined) throw new Error(`${name}: source rank ${rank} needs its counts`);
    const bytes = 4 * sum(expertsPerRank);
    const staging = await takeStaging(parts, name, bytes);
    const { buffer, offset } = parts.region(counts);
    parts.encoder().copyBufferToBuffer(buffer, offset, staging, 0, bytes);
    await readStaging(parts, staging, bytes);
    const own = new Uint8Array(staging.getMappedRange(0, bytes)).slice();
    staging.unmap();
    parts.staging.giveBack(staging);
    bySource.set(rank, wordsOf(own));
    const listeners = [...new Set([...from, ...to])].filter((other) => other !== rank);
    if (listeners.length > 0) {
      const message = await communicator.reserve(lane, bytes);
      parts.during("move", () => {
        message.bytes.set(own);
        message.post(listeners);
      });
    }
  }
  for (const source of from) {
    if (source === rank) continue;
    const { bytes, release } = await communicator.receive(lane, source);
    bySource.set(source, wordsOf(bytes));
    release();
  }
  return from.map((source) => bySource.get(source) ?? []);
}

/** What the kernels that follow need to know of the splits. */
function tellKernels(
  parts: Parts,
  { from, to, kept, offsets, origin }: ExpertDispatch,
  splits: ExpertSplits,
): void {
  parts.submit();
  // Tokens that are sent again are the same.
  const isFirst = origin.phase === "forward";
  const i = from.indexOf(parts.rank);
  if (i >= 0) {
    const [counted = [], accepted = []] = [splits.counts[i], splits.kept[i]];
    if (isFirst) parts.record.dropped(origin.layer, sum(counted) - sum(accepted));
    upload(parts, kept, accepted);
  }
  const j = to.indexOf(parts.rank);
  if (j >= 0) {
    const rows = receivedRows(splits, j);
    if (isFirst) parts.record.experts(origin.layer, rows);
    upload(parts, offsets, starts([...rows, 0]));
  }
}

function upload(parts: Parts, id: string | undefined, values: readonly number[]): void {
  if (id === undefined) return;
  parts.during("upload", () => {
    const { buffer, offset } = parts.region(id);
    parts.queue.writeBuffer(buffer, offset, Uint32Array.from(values));
  });
}

/** A copy: a message may lie at any byte. */
function wordsOf(view: Uint8Array<ArrayBuffer>): number[] {
  return [...new Uint32Array(view.slice().buffer)];
}
