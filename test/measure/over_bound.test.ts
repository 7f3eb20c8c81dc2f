import { expect, test } from "vitest";
import { isOverBound, upToBound } from "../../src/measure/bound_share.ts";
import type { Figure } from "../../src/measure/figure.ts";
import { overBound } from "../../src/measure/over_bound.ts";
import type { KernelMetrics } from "../../src/measure/roofline.ts";

function share(value: number, interval?: readonly [number, number]): Figure {
  return {
    value,
    unit: "share",
    samples: 20,
    ...(interval === undefined ? {} : { interval }),
    provenance: "measured",
    conditions: [],
  };
}

function kernel(reached: Figure, more: Partial<KernelMetrics["bound"]> = {}, shape = {}) {
  const one = {
    value: 1,
    unit: "ms",
    samples: 20,
    provenance: "measured",
    conditions: [],
  } as const;
  const made: KernelMetrics = {
    kernel: "matmul",
    dtype: "f32",
    shape,
    flops: 1,
    bytes: 1,
    adapter: "gpu0",
    ranks: [0],
    uses: 1,
    variant: "matmul_subgroup COLUMNS=2",
    callMs: one,
    share: one,
    bytesPerSecond: one,
    bound: { leastMs: 1, by: "arithmetic", arithmetic: "f32", reached, ...more },
  };
  return made;
}

function namesOf(...given: Parameters<typeof overBound>): string[] {
  return overBound(...given).map(({ name }) => name);
}

test("control: shares up to their bound contradict nothing", () => {
  const utilization = { busy: share(1), mfu: share(0.99, [0.98, 1]), bandwidth: share(0.5) };
  expect(namesOf(utilization, [kernel(share(1))], 1)).toEqual([]);
});

test("a share whose interval reaches down to its bound contradicts nothing", () => {
  expect(namesOf({ mfu: share(1.05, [1, 1.1]) }, [], 1)).toEqual([]);
});

test("a share over its bound by more than its interval does, and one without interval by its value", () => {
  expect(namesOf({ mfu: share(1.14, [1.01, 1.2]) }, [], 1)).toEqual(["MFU"]);
  expect(namesOf({ busy: share(1.01) }, [], 1)).toEqual(["busy"]);
});

test("bandwidth counts what is too large for caches only", () => {
  const bandwidth = share(3, [2, 4]);
  expect(namesOf({ bandwidth }, [], 0)).toEqual([]);
  expect(namesOf({ bandwidth }, [], 0.5)).toEqual([]);
  expect(namesOf({ bandwidth }, [], 0.6)).toEqual(["bandwidth"]);
});

test("a kernel over its bound is named by its shader, and does not stop the run", () => {
  const [found] = overBound({}, [kernel(share(1.3, [1.2, 1.4]))], 0);
  expect(found).toMatchObject({
    name: "the share that matmul_subgroup reaches of its bound",
    isOfStep: false,
  });
});

test("operands in caches, and work that is an expectation, may be over it", () => {
  const over = share(1.3, [1.2, 1.4]);
  expect(namesOf({}, [kernel(over, { by: "memory", inCaches: true })], 0)).toEqual([]);
  expect(namesOf({}, [kernel(over, { by: "memory" })], 0)).toHaveLength(1);
  expect(namesOf({}, [kernel(over, {}, { expectedRows: 4 })], 0)).toEqual([]);
});

test("an interval ends at the bound, unless the share is over it", () => {
  expect(upToBound(share(0.9, [0.8, 1.3])).interval).toEqual([0.8, 1]);
  expect(upToBound(share(0.9, [0.8, 0.95])).interval).toEqual([0.8, 0.95]);
  expect(upToBound(share(1.2, [1.1, 1.3])).interval).toEqual([1.1, 1.2]);
  expect(isOverBound(upToBound(share(1.2, [1.1, 1.3])))).toBe(true);
  expect(upToBound(share(1.2))).toEqual(share(1.2));
});
