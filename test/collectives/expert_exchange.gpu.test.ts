import { expect, test } from "vitest";
import type { Content } from "../../src/program/content.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { openRanks } from "../../src/runtime/coordinator.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import {
  contentValues,
  declare,
  drafts,
  observe,
  originOf,
  programOf,
  shown,
  uniform,
} from "./small_programs.ts";

const rowElements = 12;
/** Counts per expert are drawn from 0 … 6. */
const mostRows = 6;

interface World {
  readonly ranks: number;
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly expertsPerRank: readonly number[];
  readonly capacity?: number;
  readonly dtype: StorageType;
}

const worlds: readonly World[] = [
  { ranks: 1, from: [0], to: [0], expertsPerRank: [5], dtype: "f32" },
  { ranks: 2, from: [0, 1], to: [0, 1], expertsPerRank: [3, 2], dtype: "f16" },
  { ranks: 2, from: [0], to: [1], expertsPerRank: [4], capacity: 2, dtype: "f32" },
  { ranks: 3, from: [0, 1], to: [0, 1, 2], expertsPerRank: [3, 3, 3], dtype: "f32" },
  { ranks: 3, from: [0, 1, 2], to: [2, 0], expertsPerRank: [1, 6], capacity: 7, dtype: "f32" },
  { ranks: 4, from: [0, 3], to: [1, 2], expertsPerRank: [2, 0], capacity: 1, dtype: "f16" },
];

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function countsContent(source: number, experts: number): Content {
  return {
    kind: "ids",
    tensor: `counts ${source}`,
    shape: [1, experts],
    offset: [0, 0],
    size: [1, experts],
    vocabulary: mostRows + 1,
  };
}

function rowsContent(source: number, experts: number): Content {
  return uniform(`rows ${source}`, experts * mostRows * rowElements);
}

const layer = "test/0.moe";

function programFor({ ranks, from, to, expertsPerRank, capacity, dtype }: World) {
  const experts = total(expertsPerRank);
  const held = experts * mostRows * rowElements;
  const all = drafts(ranks);
  for (const draft of all) {
    const { rank } = draft;
    if (!from.includes(rank) && !to.includes(rank)) continue;
    const own = expertsPerRank[to.indexOf(rank)] ?? 0;
    const staged = Math.max(held * from.length, experts * 4);
    declare(draft, "staging", "staging", dtype, staged);
    const common = {
      origin: originOf(layer),
      dtype,
      rows: experts * mostRows * from.length,
      rowElements,
      expertsPerRank,
    };
    if (from.includes(rank)) {
      declare(draft, "rows", "weight", dtype, held, rowsContent(rank, experts));
      declare(draft, "counts", "weight", "u32", experts, countsContent(rank, Math.max(4, experts)));
      declare(draft, "kept", "activation", "u32", experts);
      declare(draft, "returned", "activation", dtype, held);
    }
    if (to.includes(rank)) {
      declare(draft, "experts", "activation", dtype, held * from.length);
      declare(draft, "offsets", "activation", "u32", own + 1);
    }
    draft.instructions.push(
      {
        op: "expert-dispatch",
        ...common,
        name: "dispatch",
        channel: 0,
        from,
        to,
        ...(from.includes(rank) ? { send: "rows", counts: "counts", kept: "kept" } : {}),
        ...(to.includes(rank) ? { receive: "experts", offsets: "offsets" } : {}),
        ...(capacity === undefined ? {} : { capacity }),
      },
      {
        op: "expert-combine",
        ...common,
        name: "combine",
        channel: 1,
        dispatch: 0,
        from: to,
        to: from,
        ...(to.includes(rank) ? { send: "experts" } : {}),
        ...(from.includes(rank) ? { receive: "returned" } : {}),
      },
    );
    for (const buffer of ["kept", "returned", "experts", "offsets"]) {
      if (draft.buffers.some(({ id }) => id === buffer)) observe(draft, buffer, buffer);
    }
  }
  return programOf(all, dtype);
}

/** Row by row, as the definition says it. */
function simulate({ from, to, expertsPerRank, capacity = Infinity, dtype }: World) {
  const experts = total(expertsPerRank);
  const counts = from.map((source) =>
    contentValues(countsContent(source, Math.max(4, experts)), "u32").slice(0, experts),
  );
  const kept = counts.map((row) => row.map(() => 0));
  const returned = from.map(() =>
    Array.from({ length: experts * mostRows * rowElements }, () => 0),
  );
  const received: number[][] = to.map(() => []);
  const offsets = to.map(() => [0]);
  for (let e = 0; e < experts; e++) {
    const j = to.findIndex((_, at) => e < total(expertsPerRank.slice(0, at + 1)));
    let accepted = 0;
    for (const [i, source] of from.entries()) {
      const rows = contentValues(rowsContent(source, experts), dtype);
      for (let row = 0; row < (counts[i]?.[e] ?? 0); row++) {
        if (accepted === capacity) break;
        accepted++;
        const start = (total(counts[i]?.slice(0, e) ?? []) + row) * rowElements;
        const values = rows.slice(start, start + rowElements);
        received[j]?.push(...values);
        returned[i]?.splice(start, rowElements, ...values);
        const keptRow = kept[i];
        if (keptRow !== undefined) keptRow[e] = row + 1;
      }
    }
    offsets[j]?.push((received[j]?.length ?? 0) / rowElements);
  }
  return { counts, kept, received, offsets, returned };
}

describeOnAdapter("tokens on their way to experts and back", () => {
  test.each(worlds)(
    "$ranks ranks, tokens on $from, experts $expertsPerRank on $to, capacity $capacity, $dtype",
    async (world) => {
      const { choice } = (await testGpu()).report;
      const program = programFor(world);
      const pool = await openRanks(
        program,
        program.ranks.map(() => choice),
      );
      try {
        const trace = await pool.step();
        const observations = await pool.observe();
        const wanted = simulate(world);
        for (const [i, rank] of world.from.entries()) {
          const see = (id: string) =>
            shown(observations, rank, id, id === "kept" ? "u32" : world.dtype);
          const experts = total(world.expertsPerRank);
          expect(see("kept").slice(0, experts), "kept").toEqual(wanted.kept[i]);
          // Rows that no expert kept hold what the buffer held before: no reader takes them.
          const returned = wanted.returned[i] ?? [];
          const brought = see("returned").map((value, at) => (returned[at] === 0 ? 0 : value));
          expect(brought, "returned").toEqual(returned);
          const dropped = total(wanted.counts[i] ?? []) - total(wanted.kept[i] ?? []);
          expect(trace.ranks[rank]?.droppedTokens).toEqual({ [layer]: dropped });
        }
        for (const [j, rank] of world.to.entries()) {
          const received = wanted.received[j] ?? [];
          const offsets = wanted.offsets[j] ?? [];
          const buffer = shown(observations, rank, "experts", world.dtype);
          expect(buffer.slice(0, received.length), "experts").toEqual(received);
          const seen = shown(observations, rank, "offsets", "u32");
          expect(seen.slice(0, offsets.length), "offsets").toEqual(offsets);
          expect(trace.ranks[rank]?.expertTokens).toEqual({
            [layer]: offsets.slice(1).map((end, e) => end - (offsets[e] ?? 0)),
          });
        }
      } finally {
        await pool.close();
      }
    },
  );
});
