import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

let cache = "";
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "shardbench-test-"));
});
afterEach(() => rm(cache, { recursive: true }));

const built = new URL("../../dist/gpu/embedded_adapter.js", import.meta.url).href;
const script = `
  const { unpackEmbeddedAdapter } = await import(${JSON.stringify(built)});
  console.log(JSON.stringify(await unpackEmbeddedAdapter()));`;

const unpack = async (): Promise<{ loader: string; driverManifest: string }> => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", script],
    { env: { ...process.env, XDG_CACHE_HOME: cache } },
  );
  return JSON.parse(stdout);
};

test("many processes unpack at once and leave one complete copy", async () => {
  const answers = await Promise.all([unpack(), unpack(), unpack()]);
  expect(new Set(answers.map(({ loader }) => loader)).size).toBe(1);
  const folder = dirname(answers[0]?.loader ?? "");
  expect((await readdir(folder)).toSorted()).toEqual([
    "libvk_swiftshader.so",
    "libvulkan.so.1",
    "vk_swiftshader_icd.json",
  ]);
  expect(await readdir(dirname(folder))).toEqual([basename(folder)]);
});

test("the manifest names the driver beside it", async () => {
  const { driverManifest } = await unpack();
  expect(JSON.parse(await readFile(driverManifest, "utf8"))).toMatchObject({
    ICD: { library_path: "./libvk_swiftshader.so" },
  });
});
