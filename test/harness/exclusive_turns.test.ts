import { expect, test } from "vitest";
import { createExclusiveTurns } from "../../src/harness/exclusive_turns.ts";
import { sample } from "../../src/harness/sampling.ts";
import type { Measured } from "../../src/program/simulate/simulate.ts";

/** Gives latencies of 1, 2, … ms; from one turn on, nothing. */
function poolOf(log: string[], ends = Infinity) {
  let turn = 0;
  return {
    async timeAlone(repeats: number): Promise<Measured | undefined> {
      log.push("alone");
      turn += 1;
      return turn >= ends
        ? undefined
        : { repeats: Array.from({ length: repeats }, () => []), latencyMs: turn };
    },
  };
}

test("a fifth of the exclusive steps in the middle of each fifth of the measured ones", async () => {
  const log: string[] = [];
  const turns = createExclusiveTurns(poolOf(log));
  const step = async () => [log.push("step")];
  const between = async (share: number) => turns.upTo(share);
  await sample(step, { warmup: 1, samples: 10, budgetMs: 0, between }, () => undefined);
  const measured = await turns.finish();
  expect(log.join(" ")).toBe(
    "step step alone step step alone step step alone step step alone step step alone step",
  );
  expect(measured?.repeats).toHaveLength(10);
  expect(measured?.latencyMs).toBe(3);
});

test("the time that exclusive steps take is not that of the measured ones", async () => {
  let now = 0;
  let steps = 0;
  const step = async () => {
    now += 10;
    return [++steps];
  };
  const shares: number[] = [];
  const between = async (share: number) => {
    now += 1000;
    shares.push(share);
  };
  await sample(
    step,
    { warmup: 0, budgetMs: 100, between },
    () => undefined,
    () => now,
  );
  expect(steps).toBe(10);
  expect(shares.map((share) => share.toFixed(1)).join(" ")).toBe(
    "0.0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9",
  );
});

test("without a number of its own, warming up takes a step and a second", async () => {
  const warmUpsOf = async (stepMs: number, warmup?: number): Promise<number> => {
    let now = 0;
    let steps = 0;
    await sample(
      async () => {
        now += stepMs;
        steps += 1;
        return [steps];
      },
      { samples: 1, budgetMs: 0, ...(warmup === undefined ? {} : { warmup }) },
      () => undefined,
      () => now,
    );
    return steps - 1;
  };
  expect(await warmUpsOf(10)).toBe(100);
  expect(await warmUpsOf(5000)).toBe(1);
  expect(await warmUpsOf(10, 3)).toBe(3);
  expect(await warmUpsOf(10, 0)).toBe(0);
});

test("turns that measuring had no room for are taken at the end", async () => {
  const log: string[] = [];
  const turns = createExclusiveTurns(poolOf(log));
  expect((await turns.finish())?.repeats).toHaveLength(10);
  expect(log).toHaveLength(5);
});

test("an adapter that does not time kernels gives nothing, and is asked no further at the end", async () => {
  const log: string[] = [];
  expect(await createExclusiveTurns(poolOf(log, 1)).finish()).toBeUndefined();
  expect(log).toHaveLength(1);
});
