// What came out of each collective, on every rank that receives, against what went in on every rank that sends. Pure:
// the ranks' evidence is all that it sees.

import type { StorageType } from "../kernels/storage.ts";
import { NumericsError } from "../numerics_error.ts";
import {
  collectiveOf,
  type Collective,
  type ExpertCombine,
  type ExpertDispatch,
  type Program,
} from "../program/program.ts";
import { startsOf } from "../program/tensor.ts";
import { smallestError, unitRoundoff } from "../reference/rounding.ts";
import { bothOf, type KindCheck } from "../runtime/check/rank_check.ts";
import type { Evidence, SumBlocks, TransferEvidence } from "../runtime/check/transfers.ts";

type Parties = ReadonlyMap<number, TransferEvidence>;

/**
 * One entry for each kind of collective.
 *
 * @throws NumericsError that names the collective and the rank where what came out is not what went in
 */
export function checkTransfers(
  program: Program,
  evidence: readonly TransferEvidence[],
): KindCheck[] {
  const known = new Map<string, Map<number, TransferEvidence>>();
  for (const one of evidence) {
    const key = keyOf(one.channel, one.microBatch);
    const parties = known.get(key) ?? new Map<number, TransferEvidence>();
    known.set(key, parties.set(one.rank, one));
  }
  const kinds = new Map<string, KindCheck>();
  for (const transfer of collectivesOf(program)) {
    const { channel, op } = transfer;
    for (let microBatch = 0; microBatch < program.microBatches; microBatch++) {
      const parties = known.get(keyOf(channel, microBatch));
      const judged =
        parties === undefined
          ? { checked: 0, total: 0, worst: 0 }
          : judge(transfer, microBatch, parties, known);
      const before = kinds.get(op);
      const kind: KindCheck = {
        kind: op,
        unit: "results",
        calls: judged.checked === 0 ? 0 : 1,
        allCalls: 1,
        ...judged,
      };
      kinds.set(op, before === undefined ? kind : bothOf(before, kind));
    }
  }
  return [...kinds.values()];
}

function keyOf(channel: number, microBatch: number): string {
  return `${channel} ${microBatch}`;
}

/** By channel; of a message between two ranks, what the sender says of it. */
function collectivesOf({ ranks }: Program): Collective[] {
  const found = new Map<number, Collective>();
  for (const { instructions } of ranks) {
    for (const instruction of instructions) {
      const transfer = collectiveOf(instruction);
      if (transfer === undefined || transfer.origin.synthetic === true) continue;
      const before = found.get(transfer.channel);
      if (before === undefined || transfer.op === "send") found.set(transfer.channel, transfer);
    }
  }
  return [...found.values()];
}

interface Judged {
  /** Results that were held against what went in, of all that ranks received. */
  readonly checked: number;
  readonly total: number;
  readonly worst: number;
}

function judge(
  transfer: Collective,
  microBatch: number,
  parties: Parties,
  all: ReadonlyMap<string, Parties>,
): Judged {
  const { to } = transfer;
  let worst = 0;
  let checked = 0;
  for (const [j, rank] of to.entries()) {
    const judged = judgeReceiver(transfer, microBatch, parties, all, rank, j);
    if (judged === undefined) continue;
    checked += 1;
    worst = Math.max(worst, judged);
    if (!(judged <= 1)) {
      throw new NumericsError(
        `${transfer.op} "${transfer.name}", micro-batch ${microBatch}: what rank ${rank} received is not what was sent`,
        judged,
        1,
      );
    }
  }
  return { checked, total: to.length, worst };
}

/** The error in shares of what is accepted; undefined without evidence of all who take part. */
function judgeReceiver(
  transfer: Collective,
  microBatch: number,
  parties: Parties,
  all: ReadonlyMap<string, Parties>,
  rank: number,
  j: number,
): number | undefined {
  const received = parties.get(rank)?.received;
  const sent = transfer.from.map((source) => parties.get(source)?.sent);
  if (received === undefined || sent.includes(undefined)) return undefined;
  if (transfer.op === "expert-dispatch") {
    return isDispatched(transfer, sent, parties, rank, j) ? 0 : Infinity;
  }
  if (transfer.op === "expert-combine") {
    const dispatch = all.get(keyOf(transfer.dispatch, microBatch));
    if (dispatch === undefined) return undefined;
    return isCombined(transfer, sent, dispatch, received, j) ? 0 : Infinity;
  }
  if (received.kind === "moved") {
    return received.hashes.every((hash, i) => hash === hashSent(sent[i], j)) ? 0 : Infinity;
  }
  if (received.kind !== "sum") return Infinity;
  const [result] = received.parts;
  const terms = sent.map((one) => (one?.kind === "sum" ? partSent(one.parts, j) : undefined));
  if (result === undefined || terms.includes(undefined)) return Infinity;
  return sumShare(result, terms, transfer.dtype);
}

/** Members whose pieces differ show one hash for each reader. */
function hashSent(sent: Evidence | undefined, j: number): number | undefined {
  if (sent?.kind !== "moved") return undefined;
  return sent.hashes.length === 1 ? sent.hashes[0] : sent.hashes[j];
}

function partSent(parts: readonly SumBlocks[], j: number): SumBlocks | undefined {
  return parts.length === 1 ? parts[0] : parts[j];
}

/**
 * Σ over `terms` is `result`: of each block by one vector, whose entries are at most 1.5, and at one element. Each
 * member may round once to what is stored.
 */
function sumShare(
  result: SumBlocks,
  terms: readonly (SumBlocks | undefined)[],
  dtype: StorageType,
): number {
  const unit = terms.length * unitRoundoff[dtype];
  const spread = Math.min(4, 1.5 * Math.sqrt(result.elements));
  const tiny = terms.length * smallestError[dtype];
  let worst = 0;
  const hold = (actual: number, expected: number, accepted: number): void => {
    if (actual === expected) return;
    const share = Math.abs(actual - expected) / accepted;
    worst = Math.max(worst, Number.isNaN(share) ? Infinity : share);
  };
  for (let b = 0; b < result.products.length; b++) {
    let [product, squares, sample, magnitude] = [0, result.squares[b] ?? Number.NaN, 0, 0];
    for (const term of terms) {
      product += term?.products[b] ?? Number.NaN;
      squares += term?.squares[b] ?? Number.NaN;
      sample += term?.samples[b] ?? Number.NaN;
      magnitude += Math.abs(term?.samples[b] ?? Number.NaN);
    }
    const accepted = spread * (unit * Math.sqrt(squares) + tiny * Math.sqrt(result.elements));
    hold(result.products[b] ?? Number.NaN, product, accepted);
    hold(result.samples[b] ?? Number.NaN, sample, unit * magnitude + tiny);
  }
  return worst;
}

type Rows = Extract<Evidence, { kind: "experts" }>;

function isRows(evidence: Evidence | undefined): evidence is Rows {
  return evidence?.kind === "experts";
}

/** Rows per expert of each source that are accepted: capacity is used up in source order. */
function acceptedRows(counts: readonly Uint32Array[], capacity = Infinity): number[][] {
  const room = Array.from(counts[0] ?? [], () => capacity);
  return counts.map((own) =>
    Array.from(own, (count, e) => {
      const kept = Math.min(count, room[e] ?? 0);
      room[e] = (room[e] ?? 0) - kept;
      return kept;
    }),
  );
}

/** Where rows lie: sorted by expert at their source, by expert and then by source where the experts are. */
function* placesOf(
  expertsPerRank: readonly number[],
  counts: readonly Uint32Array[],
  kept: readonly (readonly number[])[],
  member: number,
): Generator<{ readonly source: number; readonly sent: number; readonly held: number }> {
  const first = startsOf(expertsPerRank)[member] ?? 0;
  const sentStarts = counts.map((own) => startsOf([...own]));
  let held = 0;
  for (let e = first; e < first + (expertsPerRank[member] ?? 0); e++) {
    for (const [source, own] of kept.entries()) {
      for (let row = 0; row < (own[e] ?? 0); row++) {
        yield { source, sent: (sentStarts[source]?.[e] ?? 0) + row, held };
        held += 1;
      }
    }
  }
}

function countsOf(sources: readonly (Evidence | undefined)[]): Uint32Array[] {
  return sources.map((one) =>
    isRows(one) ? (one.counts ?? new Uint32Array()) : new Uint32Array(),
  );
}

function isDispatched(
  { from, expertsPerRank, capacity }: ExpertDispatch,
  sent: readonly (Evidence | undefined)[],
  parties: Parties,
  rank: number,
  j: number,
): boolean {
  const counts = countsOf(sent);
  const kept = acceptedRows(counts, capacity);
  for (const [i, source] of from.entries()) {
    const told = parties.get(source)?.received;
    if (!isRows(told) || !equal(told.kept, kept[i] ?? [])) return false;
  }
  const received = parties.get(rank)?.received;
  if (!isRows(received)) return false;
  const first = startsOf(expertsPerRank)[j] ?? 0;
  const perExpert = Array.from({ length: expertsPerRank[j] ?? 0 }, (_, e) =>
    kept.reduce((sum, own) => sum + (own[first + e] ?? 0), 0),
  );
  if (!equal(received.offsets, startsOf([...perExpert, 0]))) return false;
  for (const place of placesOf(expertsPerRank, counts, kept, j)) {
    const source = sent[place.source];
    if (!isRows(source) || source.rows[place.sent] !== received.rows[place.held]) return false;
  }
  return true;
}

function isCombined(
  { from, to, expertsPerRank }: ExpertCombine,
  sent: readonly (Evidence | undefined)[],
  dispatch: Parties,
  received: Evidence,
  j: number,
): boolean {
  const counts = countsOf(to.map((source) => dispatch.get(source)?.sent));
  const kept = to.map((source) => {
    const told = dispatch.get(source)?.received;
    return isRows(told) ? [...(told.kept ?? [])] : [];
  });
  if (!isRows(received)) return false;
  for (const i of from.keys()) {
    const expert = sent[i];
    if (!isRows(expert)) return false;
    for (const place of placesOf(expertsPerRank, counts, kept, i)) {
      if (place.source !== j) continue;
      if (received.rows[place.sent] !== expert.rows[place.held]) return false;
    }
  }
  return true;
}

function equal(a: Uint32Array | undefined, b: readonly number[]): boolean {
  return a !== undefined && a.length === b.length && b.every((value, i) => a[i] === value);
}
