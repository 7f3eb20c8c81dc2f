// What tuning found out, kept between runs: one file per adapter, driver, program version and shader texts.

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { z } from "zod";
import type { AdapterReport } from "../gpu/adapter.ts";
import { type CacheKey, readCacheFile, writeCacheFile } from "../gpu/cache_file.ts";
import { adapterCacheKey } from "../gpu/cache_key.ts";
import { mergeTuned, type TunedCall } from "./tuned_call.ts";

const kind = "tuning";

const tried = z.union([
  z.strictObject({
    variant: z.string(),
    ms: z.number().nonnegative(),
    speedup: z.number().nonnegative(),
  }),
  z.strictObject({ variant: z.string(), excluded: z.string() }),
]);
const content = z.strictObject({
  version: z.literal(2),
  calls: z.array(
    z.strictObject({
      call: z.string(),
      class: z.string(),
      chosen: z.string(),
      variants: z.int().positive(),
      complete: z.boolean(),
      tried: z.array(tried),
    }),
  ),
});

// Of the calls learnt first nobody may ask any more.
const mostCalls = 2000;

/** Empty where nothing is kept of this adapter. */
export async function readTuning(report: AdapterReport): Promise<TunedCall[]> {
  return (await readCacheFile(kind, await keyOf(report), content))?.calls ?? [];
}

/** Adds to what is kept; of the same call the newer finding stays. */
export async function keepTuning(
  report: AdapterReport,
  learnt: readonly TunedCall[],
): Promise<void> {
  // Another run may have written in the meantime.
  const calls = mergeTuned(await readTuning(report), learnt).slice(-mostCalls);
  await writeCacheFile(kind, await keyOf(report), { version: 2, calls });
}

async function keyOf(report: AdapterReport): Promise<CacheKey> {
  return {
    ...adapterCacheKey(report),
    shaders: await shaderHash(),
  };
}

// Resolves to the same folder from src/tuning and from dist/tuning.
const folder = new URL("../../shaders/", import.meta.url);

/** Changes with any of the shaders, their names included. */
async function shaderHash(): Promise<string> {
  const hash = createHash("sha256");
  const names = await readdir(folder, { recursive: true });
  for (const name of names.filter((file) => file.endsWith(".wgsl")).toSorted()) {
    hash
      .update(name)
      .update("\0")
      .update(await readFile(new URL(name, folder)))
      .update("\0");
  }
  return hash.digest("hex").slice(0, 20);
}
