import { describe, expect, test } from "vitest";
import { bubbleOf, type BubbleSample } from "../../src/measure/bubble.ts";
import { lower } from "../../src/program/lower.ts";
import type { Instruction } from "../../src/program/program.ts";
import { noCost, type Cost } from "../../src/program/simulate/cost.ts";
import { simulate } from "../../src/program/simulate/simulate.ts";
import { pipedPlan } from "../support/piped_plan.ts";

function isTransfer({ op }: Instruction): boolean {
  return op === "send" || op === "recv";
}

function bubbleWith(
  costOf: (instruction: Instruction, rank: number) => Partial<Cost>,
  given = pipedPlan(2, 4, 1, "1f1b"),
): BubbleSample {
  const program = lower(given);
  const costs = program.ranks.map(({ rank, instructions }) => ({
    instructions: instructions.map((each) => ({ ...noCost, ...costOf(each, rank) })),
    rest: noCost,
  }));
  const bubble = bubbleOf(program, simulate(program, costs, 0));
  if (bubble === undefined) throw new Error("it is a pipeline");
  return bubble;
}

function kernelsOnly({ op }: Instruction): Partial<Cost> {
  return op === "kernel" ? { compute: 5 } : {};
}

test("equal stages idle as the schedule says, and for nothing else", () => {
  const bubble = bubbleWith(kernelsOnly);
  expect(bubble.measured).toBeCloseTo(1 / 5, 12);
  expect(bubble.schedule).toBe(1 / 5);
  for (const part of ["imbalance", "communication", "host", "unexplained"] as const) {
    expect(bubble[part]).toBeCloseTo(0, 12);
  }
});

describe("what takes longer is found in its own part, and the parts sum to the bubble", () => {
  test.each([
    [
      "imbalance",
      (i: Instruction, rank: number) => (rank === 0 ? kernelsOnly(i) : { compute: 0.1 }),
    ],
    ["communication", (i: Instruction) => (isTransfer(i) ? { readback: 2 } : kernelsOnly(i))],
    ["host", (i: Instruction) => ({ ...kernelsOnly(i), host: 1 })],
  ] as const)("%s", (part, costOf) => {
    const bubble = bubbleWith(costOf);
    expect(bubble[part]).toBeGreaterThan(0.02);
    const { measured, ...parts } = bubble;
    const sum = Object.values(parts).reduce((all, each) => all + each, 0);
    expect(sum).toBeCloseTo(measured, 12);
    const others = Object.entries(parts).filter(([name]) => name !== part && name !== "schedule");
    for (const [, value] of others) expect(value).toBeCloseTo(0, 9);
  });

  test("a step that took longer than its parts is not explained", () => {
    const program = lower(pipedPlan(2, 4));
    const costs = program.ranks.map(({ instructions }) => ({
      instructions: instructions.map((each) => ({ ...noCost, ...kernelsOnly(each) })),
      rest: noCost,
    }));
    const trace = simulate(program, costs, 0);
    const late = { ...trace, wallMs: 2 * trace.wallMs };
    expect(bubbleOf(program, late)?.unexplained).toBeCloseTo(0.4, 12);
  });
});

test("one stage has no bubble", () => {
  const program = lower(pipedPlan(1, 4));
  const trace = simulate(program, [], 0);
  expect(bubbleOf(program, trace)).toBeUndefined();
});
