import { expect, test } from "vitest";
import { lower } from "../../src/program/lower.ts";
import { rowPitch } from "../../src/kernels/storage.ts";
import type { RankTrace } from "../../src/program/trace.ts";
import { openRanks, type RankPool } from "../../src/runtime/coordinator.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { interpret } from "../support/interpret.ts";
import { plans } from "../support/plans.ts";

async function withRanks<Result>(
  program: ReturnType<typeof lower>,
  use: (pool: RankPool) => Promise<Result>,
): Promise<Result> {
  const { choice } = (await testGpu()).report;
  const pool = await openRanks(
    program,
    program.ranks.map(() => choice),
  );
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}

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
  test.each(plans)("$name gives what the interpreter gives", async (plan) => {
    const program = lower(plan);
    const expected = interpret(program).filter(({ observation }) => observation.kind === "output");
    const observations = await withRanks(program, async (pool) => pool.observe());
    for (const { rank, observation, microBatch, data } of expected) {
      const seen = observations[rank]?.observed.find(
        (one) =>
          one.microBatch === microBatch &&
          JSON.stringify(one.observation) === JSON.stringify(observation),
      );
      if (observation.kind !== "output") continue;
      const actual = new Float32Array(seen?.bytes.slice().buffer ?? new ArrayBuffer(0));
      expect(actual.length).toBe(observation.rows * rowPitch(observation.columns));
      const largest = Math.max(...data.map(Math.abs));
      const worst = data.reduce(
        (most, value, e) => Math.max(most, Math.abs(value - (actual[e] ?? Number.NaN))),
        0,
      );
      expect(worst / largest).toBeLessThan(1e-5);
    }
    expect(observations.flatMap(({ observed }) => observed).length).toBeGreaterThan(0);
  });

  test.each(plans)("$name allocates exactly what it declares", async (plan) => {
    const program = lower(plan);
    const { allocated, peak } = await withRanks(program, async (pool) => {
      await pool.step();
      return { allocated: pool.allocatedBytes, peak: pool.peakBytes };
    });
    const declared = program.ranks.map(({ buffers }) =>
      buffers.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    expect(allocated).toEqual(declared);
    expect(peak).toEqual(declared);
  });

  test.each(plans)("$name: spans cover every rank's time", async (plan) => {
    const program = lower(plan);
    const traces = await withRanks(program, async (pool) => {
      await pool.step();
      return [await pool.step(), await pool.step()];
    });
    for (const { step, ranks, wallMs } of traces) {
      expect(step).toBeGreaterThan(0);
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

  test.each(plans)(
    "$name: every product without activation passes Freivalds' check",
    async (plan) => {
      const program = lower(plan);
      const observations = await withRanks(program, async (pool) =>
        pool.observe({ freivalds: true }),
      );
      const products = program.ranks.flatMap(({ instructions }) =>
        instructions.filter(
          (one) =>
            one.op === "kernel" && (one.kernel === "matmul" || one.kernel === "grouped_matmul"),
        ),
      );
      const reports = observations.map(({ freivalds }) => freivalds);
      const seen = reports.reduce((sum, r) => sum + (r?.checked ?? 0) + (r?.skipped ?? 0), 0);
      expect(seen).toBe(products.length);
      for (const report of reports) expect(report?.residual).toBeLessThan(1e-5);
    },
  );
});
