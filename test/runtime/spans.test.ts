import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSpanRecorder } from "../../src/runtime/span_recorder.ts";
import {
  type Activity,
  findMisplaced,
  type Segment,
  spansOf,
  spansWithoutTimestamps,
  type TimedPass,
  wakingMs,
} from "../../src/runtime/spans.ts";

function segment(activity: Activity, startMs: number, endMs: number, submittedPasses = 0): Segment {
  return { activity, startMs, endMs, submittedPasses, instruction: 9 };
}

function pass(
  instruction: number,
  startMs: number,
  endMs: number,
  before: TimedPass["before"] = "host",
): TimedPass {
  return { instruction, kind: "compute", before, startMs, endMs };
}

function kinds(spans: ReturnType<typeof spansOf>): (string | number | undefined)[][] {
  return spans.map(({ kind, instruction, startMs, endMs }) => [kind, instruction, startMs, endMs]);
}

describe("while the host awaits the GPU", () => {
  test("time before a kernel is what the GPU did before it, time after the last is readback", () => {
    const spans = spansOf(
      [segment("readback", 0, 10)],
      [pass(1, 1, 4), pass(2, 5, 7, "move"), pass(3, 7, 8, "upload")],
    );
    expect(kinds(spans)).toEqual([
      ["host", 1, 0, 1],
      ["compute", 1, 1, 4],
      ["move", 2, 4, 5],
      ["compute", 2, 5, 7],
      ["compute", 3, 7, 8],
      ["readback", 9, 8, 10],
    ]);
  });

  test("waking up after a drain is host time", () => {
    expect(kinds(spansOf([segment("drain", 0, 10)], [pass(1, 0, 9)]))).toEqual([
      ["compute", 1, 0, 9],
      ["host", 9, 9, 10],
    ]);
  });

  test("kernels that ran before it began or will run later leave it alone", () => {
    const spans = spansOf([segment("readback", 5, 6)], [pass(1, 0, 5), pass(2, 6, 7)]);
    expect(kinds(spans)).toContainEqual(["readback", 9, 5, 6]);
  });
});

describe("times of passes", () => {
  const step = [segment("host", 1000, 1001), segment("drain", 1001, 1010)];

  test.each([
    ["within the step", pass(0, 1001, 1010)],
    ["of no length", pass(0, 1001, 1001)],
    ["off by what clocks may differ", pass(0, 999.1, 1010.9)],
  ])("control: %s are believed", (_, one) => {
    expect(findMisplaced(step, [one])).toBeUndefined();
  });

  test.each([
    ["before the step", pass(4, 990, 991), "instruction 5 ran from -10.000 to -9.000 ms of a step"],
    ["after the step", pass(4, 1009, 1012), "instruction 5 ran from 9.000 to 12.000 ms of a step"],
    ["that run backwards", pass(4, 1005, 1004), "instruction 5 ran from 5.000 to 4.000 ms"],
    ["that are no numbers", pass(4, Number.NaN, 1004), "instruction 5 ran from NaN"],
  ])("%s are named", (_, one, words) => {
    expect(findMisplaced(step, [pass(0, 1001, 1002), one])).toContain(words);
  });
});

test("other activities stay as they are, beside the kernels that run meanwhile", () => {
  const spans = spansOf([segment("wait", 0, 10)], [pass(1, 2, 3)]);
  expect(kinds(spans)).toEqual([
    ["wait", 9, 0, 10],
    ["compute", 1, 2, 3],
  ]);
});

test("no part of a step is left without a span, wherever kernels lie", () => {
  const activity = fc.constantFrom<Activity>("host", "readback", "drain", "wait", "move", "upload");
  const lengths = fc.array(fc.tuple(activity, fc.integer({ min: 1, max: 9 })), { minLength: 1 });
  const times = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 9 })));
  fc.assert(
    fc.property(lengths, times, (parts, kernels) => {
      let time = 0;
      const segments = parts.map(([kind, length]) => segment(kind, time, (time += length)));
      let free = 0;
      const passes = kernels.map(([gap, length], i) => {
        const startMs = free + gap;
        free = startMs + length;
        return pass(i, startMs, free);
      });
      const spans = spansOf(segments, passes);
      for (let ms = 0; ms < time; ms++) {
        expect(spans.some(({ startMs, endMs }) => startMs <= ms && ms + 1 <= endMs)).toBe(true);
      }
    }),
  );
});

test("twice as many waits for twice as many kernels cost about twice as much", () => {
  const readsOf = (count: number): number => {
    let reads = 0;
    const passes = Array.from({ length: count }, (_, i) => ({
      ...pass(i, 0, 0),
      startMs: 10 * i + 1,
      get endMs() {
        reads += 1;
        return 10 * i + 5;
      },
    }));
    const segments = passes.map((_, i) => segment("drain", 10 * i, 10 * i + 10, i + 1));
    expect(spansOf(segments, passes)).toHaveLength(3 * count);
    expect(wakingMs(segments, passes)).toBe(5 * count);
    return reads;
  };
  expect(readsOf(2000) / readsOf(1000)).toBeLessThan(2.1);
});

describe("without timestamps", () => {
  test("awaiting the GPU stands for the kernels that it was given", () => {
    const spans = spansWithoutTimestamps(
      [
        segment("host", 0, 1),
        segment("readback", 1, 5, 1),
        segment("wait", 5, 6, 1),
        segment("drain", 6, 9, 3),
        segment("readback", 9, 10, 3),
      ],
      [pass(1, 0, 0), pass(2, 0, 0), pass(3, 0, 0)],
    );
    expect(kinds(spans)).toEqual([
      ["host", 9, 0, 1],
      ["compute", 1, 1, 5],
      ["wait", 9, 5, 6],
      ["compute", undefined, 6, 9],
      ["readback", 9, 9, 10],
    ]);
  });
});

test("the host is always in exactly one activity", () => {
  let now = 0;
  const recorder = createSpanRecorder(() => now++);
  recorder.enter("host", undefined, 0);
  recorder.enter("host", 1, 0);
  recorder.enter("host", 1, 0);
  recorder.enter("wait", 1, 2);
  expect(recorder.finish()).toEqual([
    { activity: "host", startMs: 0, endMs: 1, submittedPasses: 0 },
    { activity: "host", instruction: 1, startMs: 1, endMs: 2, submittedPasses: 0 },
    { activity: "wait", instruction: 1, startMs: 2, endMs: 3, submittedPasses: 2 },
  ]);
});

describe("waking", () => {
  test("lasts from the end of the last kernel until the host goes on", () => {
    const segments = [segment("host", 0, 2), segment("drain", 2, 10)];
    expect(wakingMs(segments, [pass(0, 1, 4), pass(1, 4, 7)])).toBe(3);
  });

  test("is all of a wait in which nothing ran, and none of a wait for bytes", () => {
    expect(wakingMs([segment("drain", 2, 5)], [pass(0, 0, 1)])).toBe(3);
    expect(wakingMs([segment("readback", 2, 5)], [pass(0, 0, 3)])).toBe(0);
  });
});
