import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkedKinds } from "../../src/harness/checked_kinds.ts";
import { checkTimedSteps } from "../../src/harness/timed_steps.ts";
import { lower } from "../../src/program/lower.ts";
import { rowPitch } from "../../src/kernels/storage.ts";
import { simulateRepeats } from "../../src/program/simulate/simulate.ts";
import type { RankTrace } from "../../src/program/trace.ts";
import { openRanks } from "../../src/runtime/coordinator.ts";
import type { RankPool } from "../../src/runtime/rank_pool.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { interpret } from "../support/interpret.ts";
import { plans } from "../support/plans.ts";

/** Share of a rank's time that its spans cover. */
function coverage({ startMs, endMs, spans }: RankTrace): number {
  let covered = 0;
  let time = startMs;
  for (const span of spans.toSorted((a, b) => a.startMs - b.startMs)) {
    const begin = Math.max(time, span.startMs);
    const end = Math.min(span.endMs, endMs);
    if (end <= begin) continue;
    covered += end - begin;
    time = end;
  }
  return covered / (endMs - startMs);
}

describeOnAdapter("programs in rank processes", () => {
  describe.each(plans)("$name", (plan) => {
    const program = lower(plan);
    let pool: RankPool;
    let opened: { readonly allocated: readonly number[]; readonly peak: readonly number[] };

    beforeAll(async () => {
      const { choice } = (await testGpu()).report;
      pool = await openRanks(
        program,
        program.ranks.map(() => choice),
      );
      opened = { allocated: [...pool.allocatedBytes], peak: [...pool.peakBytes] };
    });
    afterAll(async () => pool.close());

    test("allocates exactly what it declares", () => {
      const declared = program.ranks.map(({ buffers }) =>
        buffers.reduce((sum, { bytes, within }) => sum + (within === undefined ? bytes : 0), 0),
      );
      expect(opened).toEqual({ allocated: declared, peak: declared });
    });

    test("gives what the interpreter gives, and every instruction what it should of what it read", async () => {
      const observations = await pool.observe({ check: "thorough" });
      const shown = observations.flatMap(({ rank, observed }) =>
        observed.map((one) => ({ rank, ...one })),
      );
      for (const { rank, observation, microBatch, data } of interpret(program)) {
        if (observation.kind !== "output") continue;
        const seen = shown.find(
          (one) =>
            one.rank === rank &&
            one.microBatch === microBatch &&
            isDeepStrictEqual(one.observation, observation),
        );
        const actual = new Float32Array(seen?.bytes.slice().buffer ?? new ArrayBuffer(0));
        expect(actual.length).toBe(observation.rows * rowPitch(observation.columns));
        const largest = Math.max(...data.map(Math.abs));
        const worst = Math.max(...data.map((value, e) => Math.abs(value - (actual[e] ?? NaN))));
        expect(worst / largest).toBeLessThan(1e-5);
      }
      const checks = observations.flatMap(({ check }) => check ?? []);
      const { kinds, notChecked } = checkedKinds(program, checks);
      const missed = notChecked.filter((what) => !what.startsWith("the synthetic backward pass"));
      expect(missed).toEqual([]);
      expect(kinds.filter(({ calls, allCalls }) => calls < allCalls)).toEqual([]);
      expect(kinds.find(({ kind }) => kind === "matmul")?.worst).toBeGreaterThan(0);
      expect(kinds.filter(({ worst }) => !(worst <= 1))).toEqual([]);
    });

    test("what the check needs for itself does not count as the plan's memory", () => {
      expect(pool.peakBytes).toEqual(opened.peak);
    });

    test("alone, a rank runs every kernel on what the others sent, and its results stay", async () => {
      const checked = (await pool.observe()).flatMap(({ observed }) => observed);
      const measured = await pool.timeAlone(1);
      for (const { rank, instructions } of program.ranks) {
        const costs = measured?.repeats[0]?.[rank]?.instructions ?? [];
        expect(costs).toHaveLength(instructions.length);
        const idle = instructions.filter(
          ({ op }, i) => op === "kernel" && !((costs[i]?.compute ?? 0) > 0),
        );
        expect(idle).toEqual([]);
      }
      expect(checkTimedSteps(checked, await pool.askAll("digests", {}), 2).microBatches).toBe(
        plan.workload.microBatches,
      );
      const [projected] = simulateRepeats(program, measured ?? { repeats: [], latencyMs: 0 });
      expect(projected?.wallMs).toBeGreaterThan(0);
    });

    test("spans cover every rank's time, one for every kernel", async () => {
      await pool.step();
      for (const { ranks, wallMs } of [await pool.step(), await pool.step()]) {
        expect(Math.min(...ranks.map(({ startMs }) => startMs))).toBe(0);
        expect(Math.max(...ranks.map(({ endMs }) => endMs))).toBe(wallMs);
        for (const trace of ranks) {
          expect(coverage(trace)).toBeGreaterThanOrEqual(0.99);
          const kernels = program.ranks[trace.rank]?.instructions.flatMap(({ op }, index) =>
            op === "kernel" ? [index] : [],
          );
          const computed = trace.spans.flatMap(({ kind, instruction }) =>
            kind === "compute" ? [instruction] : [],
          );
          expect(computed.toSorted((a = 0, b = 0) => a - b)).toEqual(kernels);
          for (const { startMs, endMs } of trace.spans) {
            expect(startMs).toBeGreaterThanOrEqual(trace.startMs - 0.05);
            expect(endMs).toBeLessThanOrEqual(trace.endMs + 0.05);
          }
        }
      }
    });
  });
});
