// A program of one collective at many sizes, each a stage of its own: what `shardbench collectives` runs.

import { bytesPerElement, type StorageType } from "../kernels/storage.ts";
import { createBuilder, type ProgramBuilder } from "./builder.ts";
import type { RegionContent } from "./content.ts";
import type { AlgorithmName } from "./exchange/all_reduce/algorithms.ts";
import { longestMessage, workspaceOf } from "./exchange/workspace.ts";
import type { Collective, ObserveInstruction, Origin, Program } from "./program.ts";

export const benchedCollectives = [
  "all-reduce",
  "all-gather",
  "reduce-scatter",
  "all-to-all",
  "broadcast",
  "reduce",
  "gather",
  "scatter",
  "send",
] as const;

export type BenchedCollective = (typeof benchedCollectives)[number];

export type BufferPlace = "out-of-place" | "in-place";

export interface CollectiveSize {
  /** Elements: `count` of the table, what one piece has. */
  readonly count: number;
  /** How often the timed stage runs it. */
  readonly repeats: number;
}

export interface CollectiveBenchRequest {
  readonly op: BenchedCollective;
  readonly ranks: number;
  readonly dtype: StorageType;
  readonly sizes: readonly CollectiveSize[];
  /** For sums of all; default: by size. */
  readonly algorithm?: AlgorithmName;
}

/** Ranks on both sides. Rank 0 is the root where there is one; a send goes from it to the last rank. */
export function collectiveRanks(
  op: BenchedCollective,
  ranks: number,
): { readonly from: readonly number[]; readonly to: readonly number[] } {
  const all = Array.from({ length: ranks }, (_, rank) => rank);
  if (op === "send") return { from: [0], to: [ranks - 1] };
  return {
    from: op === "broadcast" || op === "scatter" ? [0] : all,
    to: op === "reduce" || op === "gather" ? [0] : all,
  };
}

/** Elements that a member sends and receives, for pieces of `count`. */
export function extentsOf(
  op: BenchedCollective,
  ranks: number,
  count: number,
): { readonly sent: number; readonly received: number } {
  return {
    sent:
      op === "reduce-scatter" || op === "scatter" || op === "all-to-all" ? ranks * count : count,
    received: op === "all-gather" || op === "gather" || op === "all-to-all" ? ranks * count : count,
  };
}

/** nccl-tests' `S`: bytes of the whole message. */
export function messageBytes(
  op: BenchedCollective,
  ranks: number,
  count: number,
  dtype: StorageType,
): number {
  const { sent, received } = extentsOf(op, ranks, count);
  return Math.max(sent, received) * bytesPerElement(dtype);
}

/** All-to-all cannot be done in place, a send has no place in common. */
export function bufferPlaces(op: BenchedCollective): readonly BufferPlace[] {
  return op === "all-to-all" || op === "send" ? ["out-of-place"] : ["out-of-place", "in-place"];
}

/** What rank `rank` sends at that size. */
export function sentContent(rank: number, count: number, elements: number): RegionContent {
  return {
    kind: "uniform",
    tensor: `${count}/${rank}`,
    center: 0,
    scale: 1,
    shape: [1, elements],
    offset: [0, 0],
    size: [1, elements],
  };
}

/** Names of the stages of one size: `prepare` puts everything back, `check` runs it once and shows it. */
export function stagesOf(count: number, place: BufferPlace) {
  return {
    prepare: `prepare ${count} ${place}`,
    check: `check ${count} ${place}`,
    time: `time ${count} ${place}`,
  };
}

/** Where the part of a member begins that a collective in place gives or gets, in elements. */
export function ownStart(op: BenchedCollective, rank: number, count: number): number {
  return op === "all-gather" || op === "gather" || op === "reduce-scatter" || op === "scatter"
    ? rank * count
    : 0;
}

export function collectiveProgram(request: CollectiveBenchRequest): Program {
  const { op, ranks, dtype, sizes } = request;
  const builder = createBuilder(ranks, dtype);
  for (const size of sizes) {
    for (const place of bufferPlaces(op)) {
      for (let rank = 0; rank < ranks; rank++) addStages(builder, request, size, place, rank);
    }
  }
  return {
    name: op,
    dtype,
    seed: 1,
    ranks: builder.ranks(),
    batch: 1,
    tokens: 1,
    microBatches: 1,
    layers: [],
    output: { rows: 1, columns: 1 },
  };
}

/** All stages of one size, on a rank that takes part. */
function addStages(
  builder: ProgramBuilder,
  request: CollectiveBenchRequest,
  { count, repeats }: CollectiveSize,
  place: BufferPlace,
  rank: number,
): void {
  const { op, ranks, dtype } = request;
  const { from, to } = collectiveRanks(op, ranks);
  const sends = from.includes(rank);
  const receives = to.includes(rank);
  if (!sends && !receives) return;
  const { sent, received } = extentsOf(op, ranks, count);
  const stages = stagesOf(count, place);
  const { prepare: layer } = stages;
  const isInPlace = place === "in-place" && sends && receives;
  const given = `send ${count}`;
  const both = `both ${count}`;
  const result = isInPlace ? both : `receive ${count}`;
  const elements = isInPlace ? Math.max(sent, received) : received;
  if (sends) {
    const content = sentContent(rank, count, sent);
    builder.declare(rank, { id: given, layer, role: "input", shape: [sent], content });
  }
  if (receives) {
    builder.declare(rank, { id: result, layer, role: "activation", shape: [elements] });
  }
  const putBack = (stage: string): void => {
    if (!isInPlace) return;
    const first = sent < received ? ownStart(op, rank, count) : 0;
    builder.emit(rank, {
      op: "copy",
      origin: originOf(stage),
      source: given,
      sourceOffset: 0,
      target: both,
      targetOffset: first * bytesPerElement(dtype),
      bytes: Math.ceil((sent * bytesPerElement(dtype)) / 4) * 4,
    });
  };
  const run = (stage: string): void => {
    const bare = instructionOf(request, count, rank, {
      origin: originOf(stage),
      name: `${op} of ${count}`,
      channel: builder.channel(`${op} ${count} ${place}`),
      ...(sends ? { send: isInPlace ? both : given } : {}),
      ...(receives ? { receive: result } : {}),
      ...(place === "in-place" ? { inPlace: true } : {}),
    });
    const { bytes } = workspaceOf(bare, rank);
    builder.staging(rank, longestMessage(bare, rank));
    const workspace = bytes > 0 ? { workspace: builder.workspace(rank, bytes) } : {};
    builder.emit(rank, { ...bare, ...workspace });
  };
  putBack(stages.prepare);
  putBack(stages.check);
  run(stages.check);
  if (receives) builder.emit(rank, shown(result, stages.check, elements));
  for (let time = 0; time < repeats; time++) run(stages.time);
}

function originOf(stage: string): Origin {
  return {
    stage,
    layer: stage,
    microBatch: 0,
    phase: "forward",
  };
}

function shown(buffer: string, stage: string, columns: number): ObserveInstruction {
  return {
    op: "observe",
    origin: originOf(stage),
    buffer,
    observation: { kind: "output", rowOffset: 0, rows: 1, columnOffset: 0, columns, copy: 0 },
  };
}

type Common = Pick<Collective, "origin" | "name" | "channel" | "send" | "receive" | "inPlace">;

function instructionOf(
  { op, ranks, dtype, algorithm }: CollectiveBenchRequest,
  count: number,
  rank: number,
  given: Common,
): Collective {
  const common = { ...given, dtype, ...collectiveRanks(op, ranks) };
  const counts = Array.from({ length: ranks }, () => count);
  switch (op) {
    case "all-gather":
    case "gather":
    case "reduce-scatter":
    case "scatter":
      return { ...common, op, counts };
    case "all-to-all":
      return { ...common, op, counts: counts.map(() => counts) };
    case "all-reduce":
    case "reduce":
      return { ...common, op, count, ...(algorithm === undefined ? {} : { algorithm }) };
    case "broadcast":
      return { ...common, op, count };
    case "send":
      return { ...common, op: rank === 0 ? "send" : "recv", count };
  }
}
