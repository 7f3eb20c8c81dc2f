// Who tunes when, and who learns of it; the ranks are played.

import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import type { Asked, Kind } from "../../src/runtime/protocol.ts";
import type { CallUse } from "../../src/runtime/program_calls.ts";
import type { RankGroup } from "../../src/runtime/rank_group.ts";
import { tuneRanks } from "../../src/runtime/tune_ranks.ts";
import type { TunedCall } from "../../src/tuning/tuned_call.ts";

function choiceOf(id: string): AdapterChoice {
  return {
    id,
    name: id,
    software: true,
    loader: "system",
    ordinal: 0,
  };
}
function useOf(call: string, variant = "own", pending = true): CallUse {
  return {
    call,
    kernel: "matmul",
    dtype: "f32",
    shape: { m: 1, n: 1, k: 1, activation: "none" },
    uses: 1,
    flops: 2,
    variant,
    expected: "own",
    variants: 2,
    pending,
  };
}
function tunedOf(call: string): TunedCall {
  return {
    call,
    class: call,
    chosen: "fast",
    variants: 2,
    complete: true,
    tried: [],
  };
}

/** Ranks that find out one call per request, of those that nobody knows yet. */
function played(calls: readonly (readonly CallUse[])[], tuningMs = 0, stepMs = 1) {
  const asked: string[] = [];
  const ask = async (rank: number, what: Kind, more: Partial<Asked<"tune">>) => {
    asked.push(`${what} ${rank}`);
    if (what === "tune" && tuningMs > 0) await setTimeout(tuningMs);
    const known = new Set(more.known?.map(({ call }) => call));
    const uses = calls[rank] ?? [];
    if (what === "step") return { traces: [{ startMs: 5, endMs: 5 + stepMs }] };
    if (what === "adopt") {
      return uses.map(({ call }) => useOf(call, known.has(call) ? "fast" : "own", false));
    }
    const next = uses.find(({ call }) => !known.has(call));
    return next === undefined ? [] : [tunedOf(next.call)];
  };
  const askAll = async (what: Kind) =>
    Promise.all(calls.map(async (_, rank) => ask(rank, what, {})));
  const group = { pids: [], notes: [], end: async () => {}, ask, askAll } as unknown as RankGroup;
  return { asked, group };
}

const twoOnOne = [choiceOf("a"), choiceOf("a"), choiceOf("b")];

test("ranks tune one after the other, those of an adapter share what they find, and all adopt it", async () => {
  const calls = [[useOf("x"), useOf("y")], [useOf("y"), useOf("z")], [useOf("x")]];
  const { asked, group } = played(calls);
  const found: string[] = [];
  const adopted = await tuneRanks(
    group,
    twoOnOne,
    calls,
    new Map(),
    Infinity,
    async (id, tuned) => {
      found.push(...tuned.map(({ call }) => `${call} on ${id}`));
    },
  );
  expect(asked.join(", ")).toBe(
    "step 0, step 1, step 2, " +
      "tune 0, tune 0, tune 0, tune 1, tune 1, tune 2, tune 2, " +
      "adopt 0, adopt 1, adopt 2",
  );
  expect(found).toEqual(["x on a", "y on a", "z on a", "x on b"]);
  expect(adopted.flat().map(({ variant }) => variant)).toEqual([
    "fast",
    "fast",
    "fast",
    "fast",
    "fast",
  ]);
});

test.each([
  ["no variant is left to try", Infinity, false],
  ["there is no time", 0, true],
])("where %s, ranks are asked for nothing", async (_, budgetMs, pending) => {
  const calls = [[useOf("x", "own", pending)]];
  const { asked, group } = played(calls);
  const adopted = await tuneRanks(
    group,
    [choiceOf("a")],
    calls,
    new Map(),
    budgetMs,
    async () => {},
  );
  expect(asked).toEqual([]);
  expect(adopted).toEqual(calls);
});

test("the time is an adapter's: what one rank took of it is not another's", async () => {
  const calls = [[useOf("x")], [useOf("z")], [useOf("x")]];
  const { asked, group } = played(calls, 30);
  await tuneRanks(group, twoOnOne, calls, new Map(), 20, async () => {});
  expect(asked.filter((each) => each.startsWith("tune"))).toEqual(["tune 0", "tune 2"]);
});

test("a step that takes longer than there is time leaves none to try anything", async () => {
  const { asked, group } = played([[useOf("x")]], 0, 21);
  await tuneRanks(group, [choiceOf("a")], [[useOf("x")]], new Map(), 20, async () => {});
  expect(asked).toEqual(["step 0", "adopt 0"]);
});

test("what was known before is not found again", async () => {
  const calls = [[useOf("x"), useOf("y")], [], []];
  const { group } = played(calls);
  const found: string[] = [];
  const known = new Map([["a", [tunedOf("x")]]]);
  await tuneRanks(group, twoOnOne, calls, known, Infinity, async (_, tuned) => {
    found.push(...tuned.map(({ call }) => call));
  });
  expect(found).toEqual(["y"]);
});
