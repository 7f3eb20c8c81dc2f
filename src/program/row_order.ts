// Which token each row is where ranks share sequences. A rank's rows follow each other in a program, as those of every group
// do: of the samples of a replica first all slices of its first rank, then those of the next.

import { positionInSlices, sliceStarts } from "../kernels/slices.ts";
import { contextOf } from "../plan/mesh.ts";
import type { Plan } from "../plan/plan.ts";
import { splitEvenly } from "./tensor.ts";

export interface RowOrder {
  /** Tokens of a sample. */
  readonly sequence: number;
  /** That share each sample. */
  readonly ranks: number;
  /** Of each replica, in a micro-batch. */
  readonly samples: readonly number[];
}

/** Undefined where rows are the tokens of samples, one after the other. */
export function rowOrderOf({ degrees, workload }: Plan): RowOrder | undefined {
  if (degrees === undefined || contextOf(degrees) === 1) return undefined;
  const { batch, microBatches, sequence } = workload;
  return {
    sequence,
    ranks: contextOf(degrees),
    samples: splitEvenly(batch / microBatches, degrees.data),
  };
}

/** Of a row of a step, or of a micro-batch: the row of samples one after the other. */
export function tokenRow({ sequence, ranks, samples }: RowOrder, row: number): number {
  const perMicroBatch = samples.reduce((sum, count) => sum + count, 0) * sequence;
  let start = Math.floor(row / perMicroBatch) * perMicroBatch;
  let at = row - start;
  for (const count of samples) {
    if (at < count * sequence) return start + withinReplica(sequence, ranks, count, at);
    at -= count * sequence;
    start += count * sequence;
  }
  throw new RangeError(`row ${row} is of no replica`);
}

function withinReplica(sequence: number, ranks: number, samples: number, row: number): number {
  const rows = sequence / ranks;
  const rank = Math.floor(row / (samples * rows));
  const own = row % (samples * rows);
  const starts = sliceStarts(sequence, ranks, rank);
  return Math.floor(own / rows) * sequence + positionInSlices(rows, starts, own % rows);
}

export interface TokenRun {
  /** Of the rows that were asked for. */
  readonly at: number;
  /** Tokens that follow each other, the first of them as `tokenRow` has it. */
  readonly token: number;
  readonly count: number;
}

/** Rows [first, first + count) as runs of tokens. */
export function* tokenRuns(order: RowOrder, first: number, count: number): Generator<TokenRun> {
  let start = 0;
  for (let at = 1; at <= count; at++) {
    const token = tokenRow(order, first + start);
    if (at < count && tokenRow(order, first + at) === token + at - start) continue;
    yield { at: start, token, count: at - start };
    start = at;
  }
}
