import { bytesPerElement } from "../kernels/storage.ts";
import type { ExpertDispatch } from "../program/program.ts";
import type { CollectiveContext } from "./context.ts";
import { runExchange } from "./exchange.ts";
import {
  acceptRows,
  dispatchPieces,
  type ExpertSplits,
  receivedRows,
  splitKey,
} from "./expert_splits.ts";
import { starts, sum } from "./pieces.ts";
import { postBytes, readStaging } from "./staging.ts";

/**
 * Rows go to the ranks of their experts. Sizes are the router's, so all who take part first tell each
 * other how many rows they have per expert, on the same channel.
 */
export async function expertDispatch(
  context: CollectiveContext,
  instruction: ExpertDispatch,
): Promise<void> {
  const counts = await shareCounts(context, instruction);
  const splits: ExpertSplits = {
    sources: instruction.from,
    experts: instruction.to,
    expertsPerRank: instruction.expertsPerRank,
    counts,
    kept: acceptRows(counts, instruction.capacity),
  };
  context.splits.set(splitKey(instruction.channel, instruction.origin.microBatch), splits);

  const rowBytes = instruction.rowElements * bytesPerElement(instruction.dtype);
  await runExchange(context, {
    ...instruction,
    send: instruction.send,
    staging: instruction.staging,
    target: instruction.receive,
    same: false,
    pieces: (i, j) => dispatchPieces(splits, i, j, rowBytes),
  });
  tellKernels(context, instruction, splits);
}

/** Counts of every source, in source order. */
async function shareCounts(
  context: CollectiveContext,
  { channel, from, to, counts, staging, expertsPerRank, name }: ExpertDispatch,
): Promise<number[][]> {
  const { rank, communicator } = context;
  const bySource = new Map<number, number[]>();
  if (from.includes(rank)) {
    if (counts === undefined || staging === undefined) {
      throw new Error(`${name}: source rank ${rank} needs its counts and a staging buffer`);
    }
    const bytes = 4 * sum(expertsPerRank);
    const target = context.region(staging).buffer;
    const { buffer, offset } = context.region(counts);
    context.encoder().copyBufferToBuffer(buffer, offset, target, 0, bytes);
    const listeners = [...new Set([...from, ...to])].filter((other) => other !== rank);
    await readStaging(context, target, bytes, async (view) => {
      bySource.set(rank, wordsOf(view));
      if (listeners.length > 0) await postBytes(context, channel, listeners, view);
    });
  }
  for (const source of from) {
    if (source === rank) continue;
    context.enter("wait");
    bySource.set(source, wordsOf(await communicator.receive(channel, source)));
    communicator.release(channel, source);
    context.enter("host");
  }
  return from.map((source) => bySource.get(source) ?? []);
}

/** What the kernels that follow need to know of the splits. */
function tellKernels(
  context: CollectiveContext,
  { from, to, kept, offsets, origin }: ExpertDispatch,
  splits: ExpertSplits,
): void {
  context.submit();
  const i = from.indexOf(context.rank);
  if (i >= 0) {
    const [counted = [], accepted = []] = [splits.counts[i], splits.kept[i]];
    context.record.dropped(origin.layer, sum(counted) - sum(accepted));
    upload(context, kept, accepted);
  }
  const j = to.indexOf(context.rank);
  if (j >= 0) {
    const rows = receivedRows(splits, j);
    context.record.experts(origin.layer, rows);
    upload(context, offsets, starts([...rows, 0]));
  }
}

function upload(
  context: CollectiveContext,
  id: string | undefined,
  values: readonly number[],
): void {
  if (id === undefined) return;
  context.enter("upload");
  const { buffer, offset } = context.region(id);
  context.queue.writeBuffer(buffer, offset, Uint32Array.from(values));
  context.enter("host");
}

/** A copy: a message may lie at any byte. */
const wordsOf = (view: Uint8Array<ArrayBuffer>): number[] => [
  ...new Uint32Array(view.slice().buffer),
];
