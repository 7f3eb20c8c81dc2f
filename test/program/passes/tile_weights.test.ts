import { describe, expect, test } from "vitest";
import { estimate } from "../../../src/program/estimate.ts";
import { kernelBytesOf } from "../../../src/program/instruction_cost.ts";
import { lower } from "../../../src/program/lower.ts";
import type { Program } from "../../../src/program/program.ts";
import { tileOf } from "../../../src/program/tile.ts";
import { memoryHazards } from "../../support/memory_hazards.ts";
import { tiledPlans } from "../../support/tiled_plans.ts";
import { worstError } from "../../support/worst_error.ts";
import { planOf } from "../../support/written_plan.ts";

const cases = tiledPlans("f32").map((each) => [each.name, each] as const);

function weightBytes({ ranks }: Program): number[][] {
  return ranks.map(({ buffers }) =>
    buffers.flatMap(({ role, bytes, within }) =>
      role === "weight" && within === undefined ? [bytes] : [],
    ),
  );
}

function kernelBytes({ ranks }: Program): number {
  return ranks
    .flatMap(({ instructions }) => instructions)
    .reduce((sum, instruction) => sum + kernelBytesOf(instruction), 0);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

describe.each(cases)("%s", (_, { inTiles, whole }) => {
  const program = lower(inTiles);
  const plain = lower(whole);

  test("means what the plan says", async () => {
    expect(await worstError(inTiles, program)).toBeLessThan(1e-6);
    expect(memoryHazards(program)).toEqual([]);
  });

  test("more buffers hold the same bytes, none of what is cut more than may be bound", () => {
    const [cut, uncut] = [weightBytes(program), weightBytes(plain)];
    for (const [rank, own] of cut.entries()) {
      expect(own.length).toBeGreaterThan(uncut[rank]!.length);
      expect(total(own)).toBe(total(uncut[rank]!));
    }
    const limit = inTiles.hardware.maxBinding!;
    const tiles = program.ranks.flatMap(({ buffers }) =>
      buffers.filter(({ id }) => / \d+ of \d+$/.test(id)),
    );
    expect(Math.max(...tiles.map(({ bytes }) => bytes))).toBeLessThanOrEqual(limit);
  });

  test("the model's work and traffic are what they are in one piece", () => {
    const [cut, uncut] = [estimate(program, inTiles), estimate(plain, whole)];
    expect(cut.ranks.map(({ flops }) => flops)).toEqual(uncut.ranks.map(({ flops }) => flops));
    expect(cut.modelFlops).toBe(uncut.modelFlops);
    expect(kernelBytes(program)).toBeCloseTo(kernelBytes(plain), 3);
  });
});

test("tiles of products of other widths, which take turns in one workspace, are bound as their rows lie", () => {
  const { ranks } = lower(
    planOf(`
name: widths
hardware: { gpus: 2, maxBinding: 12kB }
workload: { mode: training, batch: 2, microBatches: 2, sequence: 3, schedule: 1f1b }
model: { layers: 2, hidden: 16, heads: 2, ffn: 256, vocabulary: 384 }
parallel: { pipeline: 2 }
`),
  );
  const widths = new Set<number>();
  for (const { buffers, instructions } of ranks) {
    const declared = new Map(buffers.map((each) => [each.id, each]));
    for (const one of instructions) {
      if (one.op !== "kernel" || one.kernel !== "matmul") continue;
      const { pitch } = one.shape;
      if (pitch === undefined) continue;
      const result = declared.get(one.buffers.at(-1) ?? "");
      if (result?.role === "workspace") widths.add(pitch);
      expect(result?.columnsOf?.pitch).toBe(4 * pitch);
    }
  }
  expect([...widths].toSorted((a, b) => a - b)).toEqual([256, 384]);
});

test("what every adapter binds stays whole", () => {
  const plan = (vocabulary: number) =>
    planOf(`
name: one table
hardware: { gpus: 1 }
workload: { batch: 1, sequence: 2, dtype: f16 }
model: { layers: 1, hidden: 4096, heads: 2, headDim: 8, ffn: 4, vocabulary: ${vocabulary}, tiedEmbeddings: true }
`);
  const tables = (vocabulary: number) =>
    lower(plan(vocabulary)).ranks[0]!.buffers.flatMap(({ id, shape }) =>
      id.includes("embedding/weight") ? [[id, shape[0]] as const] : [],
    );
  expect(tables(16_384)).toEqual([["blocks/0.embedding/weight", 16_384]]);
  expect(tables(16_385)).toEqual([
    ["blocks/0.embedding/weight 1 of 2", 8320],
    ["blocks/0.embedding/weight 2 of 2", 8065],
  ]);
});

test("tiles follow each other without a gap, and begin at whole units", () => {
  for (const [extent, count] of [
    [128_256, 16],
    [300, 3],
    [257, 2],
    [128, 1],
  ] as const) {
    const tiles = Array.from({ length: count }, (_, index) => tileOf(extent, { index, count }));
    let next = 0;
    for (const { first, size } of tiles) {
      expect([first, first % 128, size > 0]).toEqual([next, 0, true]);
      next += size;
    }
    expect(next).toBe(extent);
  }
});
