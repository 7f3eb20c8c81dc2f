// Which tokens a step reads of a data set.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { batchesOf } from "../../src/data/batches.ts";
import { openBatches } from "../../src/data/open_batches.ts";
import { openSource } from "../../src/data/open_source.ts";
import { writeSyntheticTokens } from "../../src/data/write_synthetic_tokens.ts";
import type { IdsContent } from "../../src/program/content.ts";

const folder = mkdtempSync(join(tmpdir(), "shardbench-data-"));
const counted = join(folder, "counted.bin");
const sequence = 5;
const batch = 3;
/** Each is its own index, so that what is read says where it lies. */
const tokens = 41;

beforeAll(() => {
  writeFileSync(
    counted,
    Uint16Array.from({ length: tokens }, (_, i) => i),
  );
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function sourceOf(change: { path?: string; vocabulary?: number; seed?: number } = {}) {
  const { path = counted, vocabulary = 64, seed = 1 } = change;
  return { path, dtype: "uint16" as const, tokens, vocabulary, batch, sequence, seed };
}

function ids(first: number, count: number, more: Partial<IdsContent> = {}): IdsContent {
  const shape = [batch * sequence];
  return {
    kind: "ids",
    tensor: "ids",
    vocabulary: 64,
    shape,
    offset: [first],
    size: [count],
    ...more,
  };
}

const wholeBatch = ids(0, batch * sequence);

test("an epoch has every sample once, in another order than the next", () => {
  const { ids: read, samples } = batchesOf(sourceOf());
  expect(samples).toBe(8);
  const taken = Array.from({ length: 16 }, (_, n) => {
    const row = ids((n % batch) * sequence, sequence);
    return [...read(row, Math.floor(n / batch))];
  });
  for (const sample of taken) {
    expect((sample[0] ?? 0) % sequence).toBe(0);
    expect(sample).toEqual(sample.map((_, i) => (sample[0] ?? 0) + i));
  }
  const [first, second] = [taken.slice(0, 8), taken.slice(8)].map((epoch) =>
    epoch.map(([start = 0]) => start / sequence),
  );
  expect(first?.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(second?.toSorted()).toEqual(first?.toSorted());
  expect(second).not.toEqual(first);
});

test("parts of a batch are those of the whole, wherever they begin", () => {
  const { ids: read } = batchesOf(sourceOf());
  const whole = [...read(wholeBatch, 4)];
  for (let first = 0; first < whole.length; first++) {
    for (let end = first + 1; end <= whole.length; end++) {
      expect([...read(ids(first, end - first), 4)]).toEqual(whole.slice(first, end));
    }
  }
});

test("a label is the token after its own, in the same sample", () => {
  const { ids: read } = batchesOf(sourceOf());
  const labels = read({ ...wholeBatch, ahead: 1 }, 2);
  expect([...labels]).toEqual([...read(wholeBatch, 2)].map((id) => id + 1));
});

test("seeds order samples, and the same seed in the same way", () => {
  const read = (seed: number) => [...batchesOf(sourceOf({ seed })).ids(wholeBatch, 0)];
  expect(read(1)).toEqual(read(1));
  expect(read(1)).not.toEqual(read(2));
});

test("32-bit ids", () => {
  const path = join(folder, "wide.bin");
  writeFileSync(
    path,
    Uint32Array.from({ length: tokens }, (_, i) => 100_000 + i),
  );
  const { ids: read } = batchesOf({ ...sourceOf({ path }), dtype: "uint32" });
  expect(Math.min(...read({ ...wholeBatch, vocabulary: 200_000 }, 0))).toBeGreaterThan(99_999);
});

test.each([
  ["no file", () => sourceOf({ path: join(folder, "none.bin") }), "none.bin"],
  ["a folder", () => sourceOf({ path: folder }), "is no file"],
  [
    "half an id",
    () => {
      const path = join(folder, "odd.bin");
      writeFileSync(path, new Uint8Array(51));
      return sourceOf({ path });
    },
    "51 bytes, which is no multiple of 2",
  ],
  [
    "less than a sample",
    () => {
      const path = join(folder, "short.bin");
      writeFileSync(path, new Uint16Array(sequence));
      return sourceOf({ path });
    },
    "has 5 tokens, and one sample takes 6",
  ],
  [
    "a file of wider ids",
    () => {
      const path = join(folder, "wider.bin");
      writeFileSync(
        path,
        Uint32Array.from({ length: tokens }, (_, i) => i),
      );
      return sourceOf({ path });
    },
    "is 0, as in a file of uint32 token ids",
  ],
])("%s is refused", async (_, source, message) => {
  await expect(openBatches(source())).rejects.toThrow(message);
});

test("an id past the vocabulary is refused when it is read", async () => {
  const { ids: read } = batchesOf(sourceOf());
  expect(() => read({ ...wholeBatch, vocabulary: 8 }, 0)).toThrow("the model's vocabulary has 8");
});

test("tokens that are given come before the data set", async () => {
  const source = await openSource({ seed: 0, data: sourceOf() }, { tokens: [7] });
  expect(source.batches).toBeUndefined();
  expect([...source.values(wholeBatch, 0, 1)]).toEqual(Array.from({ length: 15 }, () => 7));
});

test("synthetic tokens are below the vocabulary, and most follow from the one before", async () => {
  const path = join(folder, "made.bin");
  const asked = { tokens: 20_001, vocabulary: 50, dtype: "uint16", seed: 3 } as const;
  await writeSyntheticTokens(path, asked);
  const made = batchesOf({ ...sourceOf({ path }), batch: 1, sequence: 20_000 });
  const content = { ...ids(0, 20_000), vocabulary: 50 };
  const [read, next] = [made.ids(content, 0), made.ids({ ...content, ahead: 1 }, 0)];
  const followers = new Map<number, Map<number, number>>();
  for (const [i, id] of read.entries()) {
    const own = followers.get(id) ?? new Map<number, number>();
    followers.set(id, own.set(next[i] ?? 0, (own.get(next[i] ?? 0) ?? 0) + 1));
  }
  const certain = [...followers.values()].reduce((sum, own) => sum + Math.max(...own.values()), 0);
  expect(certain / read.length).toBeGreaterThan(0.7);
  expect(certain / read.length).toBeLessThan(0.85);
});

test("where the plan names no file, one is made and found again", async () => {
  const { XDG_CACHE_HOME: before } = process.env;
  process.env["XDG_CACHE_HOME"] = folder;
  try {
    const { path: _, ...asked } = sourceOf();
    const [made, again] = [await openBatches(asked), await openBatches(asked)];
    expect(made.source.path.startsWith(folder)).toBe(true);
    expect(again.source.path).toBe(made.source.path);
    expect([...again.ids(wholeBatch, 1)]).toEqual([...made.ids(wholeBatch, 1)]);
  } finally {
    if (before === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = before;
  }
});
