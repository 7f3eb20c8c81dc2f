// Small JSON files that spare a later run the work: one per kind and key, in the user's cache folder. A cache
// is a convenience: whatever is wrong with one counts as no cache, never as an error.

import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { findCacheFolder } from "./cache_folder.ts";

/** All that the content depends on; it is kept in the file and compared with what is asked for. */
export type CacheKey = Readonly<Record<string, string | number>>;

const envelope = z.strictObject({
  key: z.record(z.string(), z.union([z.string(), z.number()])),
  content: z.unknown(),
});

/**
 * Undefined where there is no file, and where it is of another key, cut off, or not as `schema` wants it.
 *
 * @param kind names a folder, such as `calibration`
 * @param schema should be strict and have a version, so that what older programs wrote does not pass
 */
export async function readCacheFile<Content>(
  kind: string,
  key: CacheKey,
  schema: z.ZodType<Content>,
): Promise<Content | undefined> {
  const file = await pathOf(kind, key);
  if (file === undefined) return undefined;
  try {
    const kept = envelope.parse(JSON.parse(await readFile(file, "utf8")));
    return canonical(kept.key) === canonical(key) ? schema.parse(kept.content) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it was written. Readers see the old content or the new, never a part of it. */
export async function writeCacheFile(
  kind: string,
  key: CacheKey,
  content: unknown,
): Promise<boolean> {
  const file = await pathOf(kind, key);
  if (file === undefined) return false;
  const unfinished = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(join(file, ".."), { recursive: true, mode: 0o700 });
    await writeFile(unfinished, `${JSON.stringify({ key, content }, null, 1)}\n`);
    await rename(unfinished, file);
    return true;
  } catch {
    await rm(unfinished, { force: true });
    return false;
  }
}

async function pathOf(kind: string, key: CacheKey): Promise<string | undefined> {
  const found = await findCacheFolder();
  if (!("folder" in found)) return undefined;
  const name = createHash("sha256").update(canonical(key)).digest("hex").slice(0, 20);
  return join(found.folder, kind, `${name}.json`);
}

function canonical(key: CacheKey): string {
  return JSON.stringify(Object.entries(key).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const oldestMs = 30 * 24 * 3600 * 1000;

/** Whether what was kept of an adapter is at most 30 days old. */
export function isRecent({ date }: { readonly date: string }): boolean {
  const ageMs = Date.now() - Date.parse(date);
  return ageMs >= 0 && ageMs <= oldestMs;
}
