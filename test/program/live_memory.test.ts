import { expect, test } from "vitest";
import { readPlan } from "../../src/plan/load.ts";
import { liveMemory } from "../../src/program/live_memory.ts";
import { lower } from "../../src/program/lower.ts";
import type { BufferDeclaration, CopyInstruction, RankProgram } from "../../src/program/program.ts";

const origin = { stage: "s", layer: "s/0.x", microBatch: 0, phase: "forward" } as const;

function buffer(id: string, role: BufferDeclaration["role"], bytes: number): BufferDeclaration {
  return { id, role, dtype: "f32", shape: [bytes / 4], bytes };
}

function copy(source: string, target: string, bytes: number, targetOffset = 0): CopyInstruction {
  return { op: "copy", origin, source, sourceOffset: 0, target, targetOffset, bytes };
}

function program(instructions: readonly CopyInstruction[]): RankProgram {
  const buffers = [
    buffer("w", "weight", 64),
    buffer("x", "input", 8),
    buffer("a", "activation", 8),
    buffer("b", "activation", 16),
  ];
  return { rank: 0, buffers, instructions };
}

test("a buffer lives from where it is written to where it is last read; weights always do", () => {
  const live = liveMemory(program([copy("x", "a", 8), copy("w", "x", 8), copy("a", "b", 16)]));
  expect(live).toEqual([
    { weight: 64, input: 8, activation: 8 },
    { weight: 64, input: 8, activation: 8 },
    { weight: 64, activation: 24 },
  ]);
});

test("what is written in parts lives from the first of them", () => {
  const live = liveMemory(
    program([copy("x", "b", 8), copy("x", "b", 8, 8), copy("w", "a", 8), copy("b", "x", 8)]),
  );
  expect(live.map(({ activation }) => activation)).toEqual([16, 16, 24, 16]);
});

test("what is written over is of no use before", () => {
  const live = liveMemory(program([copy("w", "a", 8), copy("w", "x", 8), copy("w", "a", 8)]));
  expect(live.map(({ activation = 0 }) => activation)).toEqual([8, 0, 8]);
});

test.each(["smoke/moe-ep2.yaml", "smoke/training-tp2.yaml"])(
  "of %s no more lives than is allocated, and something always does",
  async (file) => {
    const { plan } = await readPlan(`configs/${file}`);
    if (plan === undefined) throw new Error("the plan must load");
    for (const rank of lower(plan).ranks) {
      const allocated = rank.buffers.reduce(
        (sum, { bytes, within }) => sum + (within === undefined ? bytes : 0),
        0,
      );
      for (const bytes of liveMemory(rank)) {
        const all = Object.values(bytes).reduce((sum, own) => sum + own, 0);
        expect(all).toBeGreaterThan(0);
        expect(all).toBeLessThanOrEqual(allocated);
      }
    }
  },
);
