// A test that told all adapters apart spares later runs the work; any other is taken again.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AdapterReport } from "../../src/gpu/adapter.ts";
import { separationOf } from "../../src/harness/separate_adapters.ts";
import { busyRanks } from "../support/busy_ranks.ts";

const before = process.env["XDG_CACHE_HOME"];
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "shardbench-separation-"));
  process.env["XDG_CACHE_HOME"] = folder;
});
afterEach(async () => {
  if (before === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = before;
  await rm(folder, { recursive: true });
});

function report(ordinal: number, vendor = "nvidia"): AdapterReport {
  return {
    choice: { id: `gpu${ordinal}`, name: "A10", software: false, loader: "system", ordinal },
    vendor,
    architecture: "ampere",
    device: "a10",
    driver: "1",
    features: [],
    limits: {},
  };
}
const alike = [report(0), report(1)];

/** Adapters that take so many times as long together as alone. */
function poolOf(slowdown: number) {
  let asked = 0;
  return {
    asked: () => asked,
    ...busyRanks((together) => {
      asked += 1;
      return together.map(() => ({ startMs: 0, endMs: together.length > 1 ? 60 * slowdown : 60 }));
    }),
  };
}

test("of GPUs that were told apart, the next run knows it without asking", async () => {
  const first = await separationOf(poolOf(1), alike, true);
  const pool = poolOf(1);
  expect(await separationOf(pool, alike, true)).toEqual(first);
  expect(pool.asked()).toBe(0);
});

test("a run that is to measure anew asks again", async () => {
  await separationOf(poolOf(1), alike, true);
  const pool = poolOf(1);
  await separationOf(pool, alike, false);
  expect(pool.asked()).toBeGreaterThan(0);
});

test("adapters that contended are asked again, for it may have been other work", async () => {
  await separationOf(poolOf(2), alike, true);
  const pool = poolOf(2);
  await separationOf(pool, alike, true);
  expect(pool.asked()).toBeGreaterThan(0);
});

test("what was kept of some adapters says nothing of others", async () => {
  await separationOf(poolOf(1), alike, true);
  const pool = poolOf(1);
  await separationOf(pool, [report(0), report(2)], true);
  expect(pool.asked()).toBeGreaterThan(0);
});

test("adapters of two vendors are not asked at all", async () => {
  const pool = poolOf(1);
  expect(await separationOf(pool, [report(0), report(1, "amd")], true)).toBeUndefined();
  expect(pool.asked()).toBe(0);
});
