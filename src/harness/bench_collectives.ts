// The main job of `shardbench collectives`: one collective at many sizes on real ranks, checked, then timed.

import { discoverAdapters } from "../gpu/discover.ts";
import { namedAdapters, placeRanks } from "../gpu/placement.ts";
import type { AdapterReport } from "../gpu/adapter.ts";
import type { StorageType } from "../kernels/storage.ts";
import { breakDown } from "../measure/breakdown.ts";
import { algorithmBandwidth, busFactor } from "../measure/bus_bandwidth.ts";
import { fitLink } from "../measure/link_model.ts";
import { medianInterval } from "../measure/median_interval.ts";
import { mean, median } from "../measure/statistics.ts";
import {
  type BenchedCollective,
  collectiveProgram,
  collectiveRanks,
  messageBytes,
  type BufferPlace,
  bufferPlaces,
  stagesOf,
} from "../program/collective_program.ts";
import type { AlgorithmName } from "../program/exchange/all_reduce/algorithms.ts";
import { bytesPerElement } from "../kernels/storage.ts";
import type { StepTrace } from "../program/trace.ts";
import { createWireCount } from "../program/wire.ts";
import { collectiveOf, type Program } from "../program/program.ts";
import type {
  CollectiveBench,
  CollectivePlaceFigures,
  CollectiveRow,
  TransferSplit,
} from "../result/collective_bench.ts";
import type { Outcome } from "../result/result.ts";
import { readVersions } from "../result/versions.ts";
import { openRanks, type Pinning } from "../runtime/coordinator.ts";
import type { RankPool } from "../runtime/rank_pool.ts";
import { createCollectiveCheck } from "./check_collective.ts";
import { outcomeOf } from "./outcome.ts";
import { rankAdapters } from "./record.ts";
import type { Progress } from "./run_options.ts";

export interface BenchCollectivesOptions {
  readonly op: BenchedCollective;
  readonly ranks: number;
  readonly dtype: StorageType;
  /** Bytes of the smallest and the largest message, and the factor from one to the next. */
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly factor: number;
  readonly algorithm?: AlgorithmName;
  readonly adapter?: string;
  readonly placement?: string;
  readonly pin?: Pinning;
  /** Time per size and place, ms. Default 200. */
  readonly budgetMs?: number;
  readonly check: boolean;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

const leastSamples = 5;
const mostSamples = 50;

/**
 * What was measured before ranks failed, or before the bench was interrupted, is kept.
 *
 * @throws EnvironmentError when ranks cannot start, and where nothing was measured
 */
export async function benchCollectives(options: BenchCollectivesOptions): Promise<CollectiveBench> {
  const { op, ranks, dtype, algorithm, onProgress = () => undefined, signal } = options;
  onProgress({ phase: "adapters" });
  const { adapters, refused } = await discoverAdapters(process.env, namedAdapters(options));
  const placement = placeRanks(ranks, adapters, { ...options, refused });
  const counts = countsOf(options);
  const fitting = counts.filter((count) => fits(options, count, placement));
  const sizes = fitting.map((count) => ({ count, repeats: repeatsOf(options, count) }));
  const program = collectiveProgram({
    op,
    ranks,
    dtype,
    sizes,
    ...(algorithm === undefined ? {} : { algorithm }),
  });
  onProgress({ phase: "ranks", total: ranks });
  const pool = await openRanks(program, placement, {
    ...(options.pin === undefined ? {} : { pinToCores: options.pin }),
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    const rows: CollectiveRow[] = [];
    let outcome: Outcome = { state: "complete" };
    try {
      for (const [done, { count, repeats }] of sizes.entries()) {
        onProgress({ phase: "measure", done: done + 1, total: sizes.length });
        rows.push(await benchSize(pool, program, options, count, repeats));
      }
    } catch (error) {
      if (rows.length === 0) throw error;
      outcome = outcomeOf(error);
    }
    const link = fitLink(
      rows.flatMap(({ outOfPlace, wireBytes }) =>
        ranks < 2 ? [] : [{ bytes: wireBytes, ms: outOfPlace.ms }],
      ),
    );
    return {
      op,
      dtype,
      ranks,
      ...(algorithm === undefined ? {} : { algorithm }),
      date: new Date().toISOString(),
      versions: readVersions(),
      adapters: rankAdapters(placement, options.pin),
      transport: pool.transport,
      rows,
      leftOut: counts
        .filter((count) => !fitting.includes(count))
        .map((count) => messageBytes(op, ranks, count, dtype)),
      ...(link === undefined ? {} : { link }),
      outcome,
    };
  } finally {
    await pool.close();
  }
}

/** Elements of a piece, for each size asked for; f16 pieces come in pairs, so that they begin at words. */
function countsOf({ op, ranks, dtype, minBytes, maxBytes, factor }: BenchCollectivesOptions) {
  const unit = 4 / bytesPerElement(dtype);
  const perElement = messageBytes(op, ranks, 1, dtype);
  const counts: number[] = [];
  for (let bytes = minBytes; bytes <= maxBytes; bytes *= factor) {
    counts.push(Math.max(1, Math.floor(bytes / (perElement * unit))) * unit);
  }
  return [...new Set(counts)];
}

function fits(
  { op, ranks, dtype }: BenchCollectivesOptions,
  count: number,
  placement: readonly AdapterReport[],
): boolean {
  const bytes = messageBytes(op, ranks, count, dtype);
  return placement.every(
    ({ limits }) =>
      bytes <= (limits["maxBufferSize"] ?? Infinity) &&
      bytes <= (limits["maxStorageBufferBindingSize"] ?? Infinity),
  );
}

/** Enough of short ones that the start and the end of a step do not count. */
function repeatsOf({ op, ranks, dtype }: BenchCollectivesOptions, count: number): number {
  const bytes = messageBytes(op, ranks, count, dtype);
  if (bytes <= 2 ** 16) return 20;
  if (bytes <= 2 ** 20) return 10;
  return bytes <= 2 ** 24 ? 3 : 1;
}

async function benchSize(
  pool: RankPool,
  program: Program,
  options: BenchCollectivesOptions,
  count: number,
  repeats: number,
): Promise<CollectiveRow> {
  const { op, ranks, dtype } = options;
  const places = new Map<BufferPlace, CollectivePlaceFigures>();
  for (const place of bufferPlaces(op)) {
    const wrong = options.check
      ? await countWrong(pool, program, options, count, place)
      : undefined;
    const figures = await timePlace(pool, options, count, place, repeats);
    places.set(place, { ...figures, ...(wrong === undefined ? {} : { wrong }) });
  }
  const outOfPlace = places.get("out-of-place");
  const inPlace = places.get("in-place");
  if (outOfPlace === undefined) throw new Error(`${op} has no place`);
  return {
    bytes: messageBytes(op, ranks, count, dtype),
    count,
    wireBytes: wireBytesOf(program, count),
    outOfPlace,
    ...(inPlace === undefined ? {} : { inPlace }),
  };
}

async function countWrong(
  pool: RankPool,
  program: Program,
  { op, ranks, dtype }: BenchCollectivesOptions,
  count: number,
  place: BufferPlace,
): Promise<number> {
  const wrongOn = createCollectiveCheck({ op, ranks, dtype, count, place }, program.seed);
  const shown = await pool.observe({ stage: stagesOf(count, place).check });
  let wrong = 0;
  let seen = 0;
  for (const { rank, observed } of shown) {
    for (const { bytes } of observed) {
      seen += 1;
      wrong += wrongOn(rank, bytes);
    }
  }
  if (seen !== collectiveRanks(op, ranks).to.length)
    throw new Error(`${op}: ${seen} ranks were seen`);
  return wrong;
}

async function timePlace(
  pool: RankPool,
  { op, ranks, dtype, budgetMs = 200 }: BenchCollectivesOptions,
  count: number,
  place: BufferPlace,
  repeats: number,
): Promise<CollectivePlaceFigures> {
  const stages = stagesOf(count, place);
  const times: number[] = [];
  const splits: TransferSplit[] = [];
  const begin = performance.now();
  // The first round warms up.
  for (
    let round = 0;
    round <= leastSamples || (round <= mostSamples && performance.now() - begin < budgetMs);
    round++
  ) {
    // Sums in place would grow without end.
    if (place === "in-place") await pool.step({ stage: stages.prepare });
    const trace = await pool.step({ stage: stages.time });
    if (round === 0) continue;
    times.push(trace.wallMs / repeats);
    splits.push(splitOf(trace, repeats));
  }
  const ms = median(times);
  const interval = medianInterval(times);
  const factor = busFactor(op, ranks);
  const algbw = algorithmBandwidth(messageBytes(op, ranks, count, dtype), ms);
  return {
    ms,
    samples: times.length,
    ...(interval === undefined ? {} : { interval }),
    algorithmBandwidth: algbw,
    ...(factor === undefined ? {} : { busBandwidth: factor * algbw }),
    split: meanSplit(splits),
  };
}

/** Mean over ranks, per collective. */
function splitOf(trace: StepTrace, repeats: number): TransferSplit {
  const parts = trace.ranks.map((rank) => breakDown(rank, trace.wallMs));
  const of = (pick: (part: (typeof parts)[number]) => number): number =>
    mean(parts.map(pick)) / repeats;
  return {
    readbackMs: of(({ readbackMs }) => readbackMs),
    moveMs: of(({ moveMs }) => moveMs),
    reduceMs: of(({ reduceMs }) => reduceMs),
    uploadMs: of(({ uploadMs }) => uploadMs),
    waitMs: of(({ idleMs }) => idleMs),
    hostMs: of(({ hostMs, unattributedMs }) => hostMs + unattributedMs),
  };
}

function meanSplit(splits: readonly TransferSplit[]): TransferSplit {
  return {
    readbackMs: mean(splits.map(({ readbackMs }) => readbackMs)),
    moveMs: mean(splits.map(({ moveMs }) => moveMs)),
    reduceMs: mean(splits.map(({ reduceMs }) => reduceMs)),
    uploadMs: mean(splits.map(({ uploadMs }) => uploadMs)),
    waitMs: mean(splits.map(({ waitMs }) => waitMs)),
    hostMs: mean(splits.map(({ hostMs }) => hostMs)),
  };
}

/** The most that a rank exchanges with one other in one direction. */
function wireBytesOf(program: Program, count: number): number {
  const wire = createWireCount();
  const stage = stagesOf(count, "out-of-place").check;
  let most = 0;
  for (const { rank, instructions } of program.ranks) {
    for (const instruction of instructions) {
      const transfer = collectiveOf(instruction);
      if (transfer === undefined || transfer.origin.stage !== stage) continue;
      most = Math.max(most, wire(transfer, rank).largestPiece);
    }
  }
  return most;
}
