import { describe, expect, test } from "vitest";
import { checkTimedSteps } from "../../src/harness/timed_steps.ts";
import { digestOf, digestTimes } from "../../src/kernels/digest.ts";
import { NumericsError } from "../../src/numerics_error.ts";
import type { ObservedBuffer, RankDigests } from "../../src/runtime/observation.ts";

function resultOf(microBatch: number, value: number): ObservedBuffer {
  return {
    layer: "stage/0.linear",
    microBatch,
    observation: { kind: "output", rowOffset: 0, rows: 2, columnOffset: 0, columns: 4, copy: 0 },
    bytes: new Uint8Array(new Float32Array(8).fill(value).buffer),
  };
}

const checked = [resultOf(0, 1.5), resultOf(1, 2.5)];

/** A rank that ran so many steps after the checking one, each with these results. */
function rankWith(steps: number, results: readonly ObservedBuffer[] = checked): RankDigests {
  return {
    rank: 0,
    steps: steps + 1,
    digests: results.map(({ layer, microBatch, observation, bytes }) => ({
      layer,
      microBatch,
      observation,
      sums: digestTimes(digestOf(new Uint32Array(bytes.buffer)), steps + 1),
    })),
  };
}

describe("timed steps", () => {
  test("control: equal results of every micro-batch pass, and are counted", () => {
    expect(checkTimedSteps(checked, [rankWith(7)], 5)).toEqual({ steps: 7, microBatches: 2 });
  });

  test("another result of the first of two micro-batches is refused", () => {
    const other = [resultOf(0, 1.25), resultOf(1, 2.5)];
    expect(() => checkTimedSteps(checked, [rankWith(7, other)], 5)).toThrow(/micro-batch 0/);
  });

  test("one wrong step among many is refused", () => {
    const { digests, ...rest } = rankWith(7);
    const [first, ...others] = digests;
    if (first === undefined) throw new Error("there are two");
    const sums = [first.sums[0] ^ 1, first.sums[1]] as const;
    expect(() =>
      checkTimedSteps(checked, [{ ...rest, digests: [{ ...first, sums }, ...others] }], 5),
    ).toThrow(NumericsError);
  });

  test("fewer steps than were timed are refused", () => {
    expect(() => checkTimedSteps(checked, [rankWith(4)], 5)).toThrow(/only 4 ran/);
  });

  test("a result that is not shown is refused", () => {
    const [first] = checked;
    expect(() => checkTimedSteps(checked, [rankWith(7, first && [first])], 5)).toThrow(
      NumericsError,
    );
  });
});

describe("what a step leaves to the next", () => {
  const sums = [7, 9] as const;
  const left: ObservedBuffer = {
    layer: "weight",
    microBatch: 0,
    observation: { kind: "state", rank: 0, buffer: "weight" },
    bytes: new Uint8Array(Uint32Array.from(sums).buffer),
  };
  const { layer, microBatch, observation } = left;
  const ranksWith = (digest: readonly [number, number], steps = 7): RankDigests[] => {
    const own = { layer, microBatch, observation, sums: digestTimes(digest, steps + 1) };
    const rank = rankWith(steps);
    return [{ ...rank, digests: [...rank.digests, own] }];
  };

  test("control: the same in every step passes", () => {
    expect(checkTimedSteps([...checked, left], ranksWith(sums), 5).steps).toBe(7);
  });

  test("what was not moved, or otherwise, is refused by its name", () => {
    expect(() => checkTimedSteps([...checked, left], ranksWith([7, 8]), 5)).toThrow(
      "a timed step left weight otherwise than the checked one, rank 0",
    );
  });

  test("what the checked step did not show is refused", () => {
    expect(() => checkTimedSteps(checked, ranksWith(sums), 5)).toThrow(NumericsError);
  });
});

test("the digest depends on every word and its place", () => {
  const words = Uint32Array.of(1, 2, 3, 4);
  expect(digestOf(Uint32Array.of(2, 1, 3, 4))).not.toEqual(digestOf(words));
  expect(digestOf(Uint32Array.of(1, 2, 3, 5))).not.toEqual(digestOf(words));
  expect(digestTimes(digestOf(words), 1)).toEqual(digestOf(words));
});
