import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  areSeparate,
  lookAlike,
  ranksSharing,
  slowdown,
  type AdapterKind,
  type SeparationTest,
} from "../../src/measure/separation.ts";

function kind(id: string, more: Partial<AdapterKind> = {}): AdapterKind {
  return {
    id,
    software: false,
    vendor: "nvidia",
    architecture: "hopper",
    ...more,
  };
}

/** Two adapters that take so long alone, and one round of both. */
function tested(
  alone: readonly [number, number],
  [startA, endA]: readonly [number, number],
  [startB, endB]: readonly [number, number],
): SeparationTest {
  return {
    date: "2026-01-02T03:04:05.000Z",
    adapters: ["gpu0", "gpu1"],
    alone: alone.map((ms) => [ms, ms + 5]),
    together: [
      [
        { adapter: "gpu0", startMs: startA, endMs: endA },
        { adapter: "gpu1", startMs: startB, endMs: endB },
      ],
    ],
  };
}

describe("adapters look alike", () => {
  test.each([
    ["of one vendor and architecture", kind("gpu1")],
    ["of an architecture that is not known", kind("gpu1", { architecture: "" })],
  ])("control: %s", (_, other) => {
    expect(lookAlike(kind("gpu0"), other)).toBe(true);
  });

  test.each([
    ["which are one", kind("gpu0")],
    ["of another vendor", kind("gpu1", { vendor: "amd" })],
    ["of another architecture", kind("gpu1", { architecture: "ampere" })],
    ["that are software", kind("gpu1", { software: true })],
  ])("unless %s", (_, other) => {
    expect(lookAlike(kind("gpu0"), other)).toBe(false);
  });
});

describe("two adapters are GPUs of their own", () => {
  test.each([
    ["at work at once, each as fast as alone", tested([60, 60], [0, 60], [1, 61])],
    ["a little slower than alone", tested([60, 60], [0, 68], [0, 68])],
    ["of unlike work", tested([60, 70], [0, 62], [2, 71])],
  ])("control: %s", (_, test_) => {
    expect(areSeparate(test_, "gpu0", "gpu1")).toBe(true);
    expect(areSeparate(test_, "gpu1", "gpu0")).toBe(true);
  });

  test.each([
    ["each takes twice as long", tested([60, 60], [0, 120], [0, 120])],
    ["one takes a fifth more", tested([60, 60], [0, 60], [0, 72])],
    ["one was at work after the other", tested([60, 60], [0, 60], [60, 120])],
    ["they met for half of the time only", tested([60, 60], [0, 60], [30, 90])],
    ["one's work is over before it says much", tested([60, 6], [0, 60], [0, 6])],
  ])("not where %s", (_, test_) => {
    expect(areSeparate(test_, "gpu0", "gpu1")).toBe(false);
  });

  test("nor where one was never at work", () => {
    expect(areSeparate(tested([60, 60], [0, 60], [0, 60]), "gpu0", "gpu2")).toBe(false);
    expect(slowdown(tested([60, 60], [0, 60], [0, 60]), "gpu0", "gpu2")).toBeUndefined();
  });

  test("never where one GPU does the work of both, however it shares its time", () => {
    const ms = fc.double({ min: 1, max: 1000, noNaN: true });
    fc.assert(
      fc.property(ms, ms, ms, ms, ms, (a, b, startA, startB, idleMs) => {
        // The GPU is never faster than alone: all is over a + b after it began at the earliest.
        const first = Math.min(startA, startB);
        const last = first + a + b + idleMs - 1;
        const fair = tested([a, b], [startA, last], [startB, last]);
        const inTurn = tested([a, b], [first, first + a], [startB, Math.max(last, startB + b)]);
        expect(areSeparate(fair, "gpu0", "gpu1")).toBe(false);
        expect(areSeparate(inTurn, "gpu0", "gpu1")).toBe(false);
      }),
    );
  });
});

describe("ranks share a GPU", () => {
  const apart = tested([60, 60], [0, 60], [0, 60]);
  const contending = tested([60, 60], [0, 120], [0, 120]);

  test.each([
    ["on one adapter", [kind("gpu0"), kind("gpu0")], undefined, [[1], [0]]],
    [
      "on adapters that look alike and were not tested",
      [kind("gpu0"), kind("gpu1")],
      undefined,
      [[1], [0]],
    ],
    ["on adapters that contend", [kind("gpu0"), kind("gpu1")], contending, [[1], [0]]],
    ["not on those that were proven apart", [kind("gpu0"), kind("gpu1")], apart, [[], []]],
    [
      "not on those of two vendors",
      [kind("gpu0"), kind("gpu1", { vendor: "amd" })],
      undefined,
      [[], []],
    ],
    [
      "only with those that may be the same",
      [kind("gpu0"), kind("gpu1"), kind("gpu1")],
      apart,
      [[], [2], [1]],
    ],
  ])("%s", (_, adapters, test_, sharing) => {
    expect(ranksSharing(adapters, test_)).toEqual(sharing);
  });
});
