// The folder for what is worth keeping between runs: the user's cache directory, or else a temporary one.

import { access, constants, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { messageOf } from "./message_of.ts";
import { distrustOf, ownUser } from "./trusted_folder.ts";

/** A folder that exists and nobody else can write to, or why another is none. */
export type CacheFolder = { readonly folder: string } | { readonly refusal: string };

/**
 * Created if need be, the better first; perhaps not writable. What lies in them is loaded and believed, so nobody else
 * may be able to write to them.
 */
export async function* cacheFolders(): AsyncGenerator<CacheFolder> {
  const home = process.env["HOME"];
  const candidates = [
    process.env["XDG_CACHE_HOME"],
    home === undefined || home === "" ? undefined : join(home, ".cache"),
    join(tmpdir(), `shardbench-${ownUser()}`),
  ];
  for (const parent of candidates) {
    if (parent === undefined || parent === "") continue;
    if (!isAbsolute(parent)) {
      yield { refusal: `${parent} is no absolute path` };
      continue;
    }
    const folder = join(parent, "shardbench");
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const refusal = await distrustOf(folder);
      yield refusal === undefined ? { folder } : { refusal };
    } catch (cause) {
      yield { refusal: await whyNotMade(folder, cause) };
    }
  }
}

/** Node says of a folder on a read-only file system that it does not exist: the folder above tells more. */
async function whyNotMade(folder: string, cause: unknown): Promise<string> {
  for (let above = dirname(folder); above !== dirname(above); above = dirname(above)) {
    try {
      await access(above, constants.F_OK);
    } catch {
      continue;
    }
    return access(above, constants.W_OK).then(() => messageOf(cause), messageOf);
  }
  return messageOf(cause);
}

/** The first that can be written to. Gives the reasons where no folder will do. */
export async function findCacheFolder(): Promise<
  { readonly folder: string } | { readonly refusals: readonly string[] }
> {
  const refusals: string[] = [];
  for await (const found of cacheFolders()) {
    if ("refusal" in found) {
      refusals.push(found.refusal);
      continue;
    }
    try {
      await access(found.folder, constants.W_OK);
      return found;
    } catch (cause) {
      refusals.push(messageOf(cause));
    }
  }
  return { refusals };
}
