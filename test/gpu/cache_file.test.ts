import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { readCacheFile, writeCacheFile } from "../../src/gpu/cache_file.ts";
import { adapterCacheKey } from "../../src/gpu/cache_key.ts";
import { shardbenchVersion } from "../../src/package_versions.ts";

const schema = z.strictObject({ version: z.literal(2), rate: z.number() });
const key = { adapter: "some GPU", driver: "1.0", cores: 2 };
const content = { version: 2, rate: 7 };

let folder = "";
const before = process.env["XDG_CACHE_HOME"];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "shardbench-cache-"));
  process.env["XDG_CACHE_HOME"] = folder;
});
afterEach(async () => {
  if (before === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = before;
  await rm(folder, { recursive: true });
});

async function onlyFile(): Promise<string> {
  const all = await readdir(join(folder, "shardbench", "figures"));
  expect(all).toHaveLength(1);
  return join(folder, "shardbench", "figures", all[0] ?? "");
}

test("control: what was written is read again, whatever the order of the key's parts", async () => {
  expect(await writeCacheFile("figures", key, content)).toBe(true);
  const turned = { cores: 2, driver: "1.0", adapter: "some GPU" };
  expect(await readCacheFile("figures", turned, schema)).toEqual(content);
});

test("nothing is read before anything was written", async () => {
  expect(await readCacheFile("figures", key, schema)).toBeUndefined();
});

test.each([
  ["another driver", { driver: "1.1" }],
  ["another number of cores", { cores: 4 }],
  ["a key with one part more", { host: "b" }],
])("%s finds nothing", async (_, other) => {
  await writeCacheFile("figures", key, content);
  expect(await readCacheFile("figures", { ...key, ...other }, schema)).toBeUndefined();
});

test("a file that lies where it does not belong is not believed", async () => {
  await writeCacheFile("figures", key, content);
  const file = await onlyFile();
  await writeFile(file, (await readFile(file, "utf8")).replace('"1.0"', '"0.9"'));
  expect(await readCacheFile("figures", key, schema)).toBeUndefined();
});

test.each([
  ["of an older version", { version: 1, rate: 7 }],
  ["with a part too many", { version: 2, rate: 7, unit: "B/s" }],
  ["without its figure", { version: 2 }],
])("content %s is not believed", async (_, other) => {
  await writeCacheFile("figures", key, other);
  expect(await readCacheFile("figures", key, schema)).toBeUndefined();
});

test("a file that was cut off is no cache, and is written over", async () => {
  await writeCacheFile("figures", key, content);
  const file = await onlyFile();
  await writeFile(file, (await readFile(file, "utf8")).slice(0, 20));
  expect(await readCacheFile("figures", key, schema)).toBeUndefined();
  await writeCacheFile("figures", key, content);
  expect(await readCacheFile("figures", key, schema)).toEqual(content);
});

test("writing leaves nothing but the file, and many writers at once one of their contents", async () => {
  await Promise.all(
    [1, 2, 3, 4].map((rate) => writeCacheFile("figures", key, { version: 2, rate })),
  );
  await onlyFile();
  expect((await readCacheFile("figures", key, schema))?.rate).toBeGreaterThan(0);
});

test("the key of an adapter holds its driver, the machine and the versions of what uses it", () => {
  const report = {
    choice: { id: "gpu0", name: "some GPU", software: false, loader: "system", ordinal: 0 },
    vendor: "some",
    architecture: "",
    device: "some GPU",
    driver: "1.0",
    features: ["subgroups"],
    limits: {},
  } as const;
  expect(adapterCacheKey(report)).toMatchObject({
    adapter: "some GPU",
    driver: "1.0",
    host: hostname(),
    shardbench: shardbenchVersion(),
  });
});
