import { describe, expect, test } from "vitest";
import { groupKernels, kernelTimes } from "../../src/measure/kernel_groups.ts";
import { arithmeticOf, roofline } from "../../src/measure/roofline.ts";
import { ceilingsOf } from "../../src/measure/ceiling.ts";
import type { Instruction } from "../../src/program/program.ts";
import { ceilingsWith } from "../support/ceilings.ts";
import { instructionOf, programOf, rankTrace, span, stepTrace } from "./synthetic.ts";

const origin = { stage: "s", layer: "s/0.linear", microBatch: 0, phase: "forward" } as const;
function product(m: number): Instruction {
  return {
    op: "kernel",
    origin,
    dtype: "f32",
    buffers: ["x", "w", "y"],
    kernel: "matmul",
    shape: { m, n: 8, k: 4, activation: "none" },
  };
}
const program = programOf(
  ["s/0.linear"],
  [
    [product(4), instructionOf("s/0.linear"), product(4), product(2)],
    [product(4), instructionOf("s/0.linear")],
  ],
);
const { groups, groupOf } = groupKernels(program, ["a", "a"]);
const trace = stepTrace([
  rankTrace(0, [span("compute", 0, 2, 0), span("compute", 2, 3, 2), span("compute", 3, 4, 3)]),
  rankTrace(1, [span("compute", 0, 3, 0), span("move", 3, 4, 1), span("reduce", 4, 4.5, 1)]),
]);

describe("groups of kernels", () => {
  test("equal work on one adapter is one group over all its ranks; copies and sums are none", () => {
    expect(groups).toMatchObject([
      { kernel: "matmul", shape: { m: 4 }, ranks: [0, 1], uses: 3, flops: 256 },
      { kernel: "matmul", shape: { m: 2 }, ranks: [0], uses: 1, flops: 128 },
    ]);
  });

  test("equal work on two adapters is two groups", () => {
    expect(groupKernels(program, ["a", "b"]).groups).toHaveLength(3);
  });

  test("the times of a group are those of its kernels, over all ranks", () => {
    expect(kernelTimes({ groups, groupOf }, trace)).toEqual([6, 1]);
  });

  test.each([
    ["timed together with others", span("compute", 0, 2)],
    ["not timed", span("wait", 0, 2, 0)],
  ])("there are no times where a kernel was %s", (_, instead) => {
    const [first, ...rest] = trace.ranks;
    const spans = [instead, ...(first?.spans.slice(1) ?? [])];
    const ranks = [rankTrace(0, spans), ...rest];
    expect(kernelTimes({ groups, groupOf }, stepTrace(ranks))).toBeUndefined();
  });
});

describe("the roofline", () => {
  const conditions = () => ({
    provenance: "measured" as const,
    conditions: [],
  });
  const steps = Array.from({ length: 5 }, () => ({ run: 0, kernelMs: [6, 1] }));
  const under = (f32: number, copy: number) =>
    roofline(
      groups,
      steps,
      () => ({ ceilings: ceilingsWith({ f32, copy }), streamedBytes: 1e6 }),
      () => undefined,
      conditions(),
    );

  test("a call takes the mean over the calls of a step", () => {
    const [first, second] = under(1e6, 1e6);
    expect([first, second].map((one) => one?.callMs.value)).toEqual([2, 1]);
    expect(first?.share.value).toBeCloseTo(6 / 7, 12);
    expect(first?.flopsPerSecond?.value).toBeCloseTo(256 / 2e-3, 6);
  });

  test("below the ridge memory is the bound, above it arithmetic", () => {
    const { flops, bytes } = groups[0] ?? { flops: 0, bytes: 0 };
    // At the ridge both take equally long.
    const ridge = (bytes / flops) * 1e6;
    expect(under(1e6, ridge * 1.01)[0]?.bound).toMatchObject({ by: "arithmetic", leastMs: 0.256 });
    const memory = under(1e6, ridge * 0.5)[0]?.bound;
    expect(memory?.by).toBe("memory");
    expect(memory?.leastMs).toBeCloseTo(0.512, 9);
    expect(memory?.reached.value).toBeCloseTo(0.256, 9);
  });

  test("the fastest of reading, writing and copying counts", () => {
    const ceilings = ceilingsWith({ f32: 1e12, read: 4e6, write: 1e6, copy: 2e6 });
    const [first] = roofline(
      groups,
      steps,
      () => ({ ceilings, streamedBytes: 1e6 }),
      () => undefined,
      conditions(),
    );
    expect(first?.bound?.leastMs).toBeCloseTo(((groups[0]?.bytes ?? 0) * 1000) / 4e6, 9);
  });

  test("what is reached may be more by as much as the peak may be less", () => {
    const runs = [1e6, 5e5, 5e5, 5e5, 5e5, 5e5, 5e5];
    const f32 = { variant: "some", runs, others: {} };
    const copy = { variant: "some", runs: [1e12], others: {} };
    const ceilings = ceilingsOf({ f32, copy });
    const [first] = roofline(
      groups,
      steps,
      () => ({ ceilings, streamedBytes: 1e6 }),
      () => undefined,
      conditions(),
    );
    expect(first?.bound?.reached.value).toBeCloseTo(0.128, 12);
    expect(first?.bound?.reached.interval?.[0]).toBeCloseTo(0.128, 12);
    expect(first?.bound?.reached.interval?.[1]).toBeCloseTo(0.256, 12);
  });

  test("without a calibration there is no bound, and without all times no figure", () => {
    const uncalibrated = roofline(
      groups,
      steps,
      () => undefined,
      () => "variant",
      conditions(),
    );
    expect(uncalibrated[0]?.bound).toBeUndefined();
    expect(uncalibrated[0]?.variant).toBe("variant");
    const halfTimed = [...steps, { run: 0 }];
    expect(
      roofline(
        groups,
        halfTimed,
        () => undefined,
        () => "variant",
        conditions(),
      ),
    ).toEqual([]);
  });

  test("a variant is held against the peak of what it computes in", () => {
    const ceilings = ceilingsWith({ f32: 1e6, f16: 2e6, copy: 1e12 });
    const [half] = roofline(
      groups,
      steps,
      () => ({ ceilings, streamedBytes: 1e6 }),
      () => "matmul_f16 M=4",
      conditions(),
    );
    expect(half?.bound).toMatchObject({ arithmetic: "f16", leastMs: 0.128 });
    expect(arithmeticOf("matmul_subgroup COLUMNS=2")).toBe("f32");
    expect(arithmeticOf("matmul_subgroup_matrix")).toBe("matrix");
  });
});
