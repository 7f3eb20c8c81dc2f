// Single collectives with known right answers: what each member sends, and what must arrive where.

import { expect } from "vitest";
import type { StorageType } from "../../src/kernels/storage.ts";
import type { AlgorithmName } from "../../src/program/exchange/all_reduce/algorithms.ts";
import { stagingSizes } from "../../src/program/exchange/chunks.ts";
import { longestMessage, workspaceOf } from "../../src/program/exchange/workspace.ts";
import type { Content, RegionContent } from "../../src/program/content.ts";
import type { Collective } from "../../src/program/program.ts";
import type { RankObservation } from "../../src/runtime/observation.ts";
import {
  contentValues,
  declare,
  type Draft,
  observe,
  originOf,
  shown,
  uniform,
} from "./small_programs.ts";

export interface Case {
  /** Unique within its program. */
  readonly layer: string;
  readonly op: Exclude<Collective["op"], "expert-dispatch" | "expert-combine" | "recv">;
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Elements of piece (i, j); which of the indices matter is the collective's matter. */
  readonly count: (i: number, j: number) => number;
  readonly inPlace?: boolean;
  readonly algorithm?: AlgorithmName;
  /** Sends nothing but zeros, of either sign. */
  readonly zeros?: boolean;
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
function startOf(counts: readonly number[], at: number): number {
  return total(counts.slice(0, at));
}

function splitsByReader({ op }: Case): boolean {
  return op === "reduce-scatter" || op === "all-to-all" || op === "scatter";
}

function isSum({ op }: Case): boolean {
  return op === "all-reduce" || op === "reduce" || op === "reduce-scatter";
}

function sentCounts(one: Case, i: number): number[] {
  return splitsByReader(one) ? one.to.map((_, j) => one.count(i, j)) : [one.count(i, 0)];
}

/** A scale of 0 leaves the sign of each element. */
function contentOf(one: Case, i: number): RegionContent {
  return {
    ...uniform(`${one.layer}/${i}`, total(sentCounts(one, i))),
    ...(one.zeros === true ? { center: -0, scale: 0 } : {}),
  };
}

function sentValues(one: Case, i: number, dtype: StorageType): number[] {
  return total(sentCounts(one, i)) === 0 ? [] : contentValues(contentOf(one, i), dtype);
}

/** What each member sends, as storage of that type holds it. */
export function sentBy(one: Case, dtype: StorageType): number[][] {
  return one.from.map((_, i) => sentValues(one, i, dtype));
}

/** The elements that arrive at member j, and the index of the first in the buffer that receives. */
function expected(one: Case, j: number, sent: readonly (readonly number[])[]) {
  const pieces = one.from.map((_, i) => {
    const counts = sentCounts(one, i);
    const own = splitsByReader(one) ? j : 0;
    const start = startOf(counts, own);
    return (sent[i] ?? []).slice(start, start + (counts[own] ?? 0));
  });
  const isPart = splitsByReader(one) && isInPlace(one, one.to[j] ?? -1) && one.op !== "all-to-all";
  const first = isPart ? startOf(sentCounts(one, 0), j) : 0;
  if (!isSum(one)) return { first, values: pieces.flat() };
  const values = (pieces[0] ?? []).map((_, e) => {
    let sum = 0;
    for (const piece of pieces) sum += piece[e] ?? 0;
    return sum;
  });
  return { first, values };
}

/** How many elements arrive at member j. */
function arriving(one: Case, j: number): number {
  if (isSum(one)) return one.count(0, j);
  return total(one.from.map((_, i) => one.count(i, splitsByReader(one) ? j : 0)));
}

function isInPlace({ inPlace, from, to }: Case, rank: number): boolean {
  return inPlace === true && from.includes(rank) && to.includes(rank);
}

function instructionOf(one: Case, channel: number, dtype: StorageType, rank: number): Collective {
  const { op, layer, from, to, count, inPlace, algorithm } = one;
  const both = isInPlace(one, rank);
  const common = {
    origin: originOf(layer),
    name: layer,
    channel,
    dtype,
    from,
    to,
    ...(from.includes(rank) ? { send: `${layer}/${both ? "both" : "send"}` } : {}),
    ...(to.includes(rank) ? { receive: `${layer}/${both ? "both" : "receive"}` } : {}),
    ...(inPlace === undefined ? {} : { inPlace }),
  };
  switch (op) {
    case "all-gather":
    case "gather":
      return { op, ...common, counts: from.map((_, i) => count(i, 0)) };
    case "reduce-scatter":
    case "scatter":
      return { op, ...common, counts: to.map((_, j) => count(0, j)) };
    case "all-to-all":
      return { op, ...common, counts: from.map((_, i) => to.map((__, j) => count(i, j))) };
    case "send":
      return { op: from.includes(rank) ? "send" : "recv", ...common, count: count(0, 0) };
    case "all-reduce":
    case "reduce": {
      const chosen = algorithm === undefined ? {} : { algorithm };
      return { op, ...common, count: count(0, 0), ...chosen };
    }
    case "broadcast":
      return { op, ...common, count: count(0, 0) };
  }
}

/** Buffers and instruction of one rank, and a look at what it received. */
export function addCase(
  draft: Draft,
  one: Case,
  channel: number,
  dtype: StorageType,
  workspace: string,
): void {
  const { layer, from, to, op } = one;
  const { rank } = draft;
  const [i, j] = [from.indexOf(rank), to.indexOf(rank)];
  if (i < 0 && j < 0) return;
  const instruction = instructionOf(one, channel, dtype, rank);
  const arrives = j < 0 ? 0 : arriving(one, j);
  const sent = i < 0 ? 0 : total(sentCounts(one, i));
  if (isInPlace(one, rank)) {
    const whole = op === "all-gather" || op === "gather";
    const first = whole
      ? startOf(
          one.from.map((_, member) => one.count(member, 0)),
          i,
        )
      : 0;
    const elements = Math.max(sent, arrives);
    const content = sent === 0 ? undefined : contentOf(one, i);
    // Its own piece lies where it belongs in the whole.
    declare(draft, `${layer}/both`, "activation", dtype, elements);
    if (content !== undefined) {
      const source = `${layer}/own`;
      declare(draft, source, "weight", dtype, elements, placedAt(content, first, elements));
      // Every round begins with what is sent, though the last has overwritten it.
      const bytes = draft.buffers.find(({ id }) => id === source)?.bytes ?? 0;
      draft.instructions.push({
        op: "copy",
        origin: originOf(layer),
        source,
        sourceOffset: 0,
        target: `${layer}/both`,
        targetOffset: 0,
        bytes,
      });
    }
  } else {
    if (i >= 0) {
      const content = sent === 0 ? undefined : contentOf(one, i);
      declare(draft, `${layer}/send`, "weight", dtype, sent, content);
    }
    if (j >= 0) declare(draft, `${layer}/receive`, "activation", dtype, arrives);
  }
  const { bytes } = workspaceOf(instruction, rank);
  need(draft, "workspace", workspace, bytes);
  for (const [at, size] of stagingSizes([longestMessage(instruction, rank)]).entries()) {
    need(draft, "staging", `staging/${at}`, size);
  }
  draft.instructions.push(bytes > 0 ? { ...instruction, workspace } : instruction);
  if (j >= 0) observe(draft, layer, instruction.receive ?? "");
}

/** A buffer as large as its largest use. */
function need(draft: Draft, role: "workspace" | "staging", id: string, bytes: number): void {
  const at = draft.buffers.findIndex((buffer) => buffer.id === id);
  const known = draft.buffers[at]?.bytes ?? 0;
  if (bytes <= known) return;
  if (at >= 0) draft.buffers.splice(at, 1);
  declare(draft, id, role, "u32", Math.ceil(bytes / 4));
}

/** A longer row that holds the content from that element on: a window that begins before it. */
function placedAt(content: RegionContent, first: number, elements: number): Content {
  return {
    ...content,
    shape: [1, elements],
    offset: [0, -first],
    size: [1, elements],
  };
}

/** Compares what every member shows with the right answer; members of an all-reduce also with each other. */
export function verify(
  observations: readonly RankObservation[],
  one: Case,
  dtype: StorageType,
): void {
  // Every summand is below 1 in magnitude, and partial sums are rounded to storage.
  const room = isSum(one) ? one.from.length ** 2 * (dtype === "f16" ? 2 ** -11 : 2 ** -23) : 0;
  const sent = sentBy(one, dtype);
  const results = one.to.map((rank, j) => {
    const { first, values } = expected(one, j, sent);
    const actual = shown(observations, rank, one.layer, dtype).slice(first, first + values.length);
    let worst = 0;
    for (const [e, value] of values.entries()) {
      worst = Math.max(worst, Math.abs(value - (actual[e] ?? Number.NaN)));
    }
    expect(worst, `${one.layer} on rank ${rank}`).toBeLessThanOrEqual(room);
    return actual;
  });
  if (one.op !== "all-reduce") return;
  for (const other of results) {
    const isAlike = other.every((value, e) => value === results[0]?.[e]);
    expect(isAlike, `${one.layer}: the same bits everywhere`).toBe(true);
  }
}
