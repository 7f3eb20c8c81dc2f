import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AdapterReport } from "../../src/gpu/adapter.ts";
import { keepTuning, readTuning } from "../../src/tuning/tuning_cache.ts";
import type { TunedCall } from "../../src/tuning/tuned_call.ts";

const report: AdapterReport = {
  choice: { id: "gpu0", name: "some GPU", software: false, loader: "system", ordinal: 0 },
  vendor: "some",
  architecture: "",
  device: "some GPU",
  driver: "1.0",
  features: [],
  limits: {},
};
const tuned: TunedCall = {
  call: "matmul f32 m=3",
  class: "matmul f32 m=4",
  chosen: "matmul",
  variants: 2,
  complete: true,
  tried: [
    { variant: "matmul", ms: 1, speedup: 1 },
    { variant: "other", excluded: "gives wrong numbers" },
  ],
};

let folder = "";
const before = process.env["XDG_CACHE_HOME"];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "shardbench-tuning-"));
  process.env["XDG_CACHE_HOME"] = folder;
});
afterEach(async () => {
  if (before === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = before;
  await rm(folder, { recursive: true });
});

test("control: what was kept is read again", async () => {
  await keepTuning(report, [tuned]);
  expect(await readTuning(report)).toEqual([tuned]);
});

test("what is learnt later is added, and replaces what was known of the same call", async () => {
  await keepTuning(report, [tuned]);
  const again = { ...tuned, chosen: "third" };
  const other = { ...tuned, call: "matmul f32 m=4" };
  await keepTuning(report, [again, other]);
  expect(await readTuning(report)).toEqual([again, other]);
});

test("another driver knows nothing", async () => {
  await keepTuning(report, [tuned]);
  expect(await readTuning({ ...report, driver: "1.1" })).toEqual([]);
});

test.each([
  ["an edited shader", /"shaders": "[0-9a-f]+"/, '"shaders": "0"'],
  ["another version of this program", /"shardbench": "[^"]+"/, '"shardbench": "0.0.1"'],
  ["content of another shape", '"chosen"', '"picked"'],
])("%s makes what was kept worthless", async (_, part, instead) => {
  await keepTuning(report, [tuned]);
  const kept = join(folder, "shardbench", "tuning");
  const [name = ""] = await readdir(kept);
  const text = await readFile(join(kept, name), "utf8");
  const edited = text.replace(part, instead);
  expect(edited).not.toBe(text);
  await writeFile(join(kept, name), edited);
  expect(await readTuning(report)).toEqual([]);
});
