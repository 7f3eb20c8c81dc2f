// The folder for what is worth keeping between runs: the user's cache directory, or else a temporary one.

import { access, constants, mkdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "./message_of.ts";

export const ownUser = (): number => process.getuid?.() ?? 0;

/**
 * Created if need be. What lies in it is loaded and believed, so nobody else may be able to write to it.
 * Gives the reasons where no folder will do.
 */
export async function findCacheFolder(): Promise<
  { readonly folder: string } | { readonly refusals: readonly string[] }
> {
  const home = process.env["HOME"];
  const candidates = [
    process.env["XDG_CACHE_HOME"],
    ...(home === undefined ? [] : [join(home, ".cache")]),
    join(tmpdir(), `shardbench-${ownUser()}`),
  ];
  const refusals: string[] = [];
  for (const parent of candidates) {
    if (parent === undefined || parent === "") continue;
    const folder = join(parent, "shardbench");
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await access(folder, constants.W_OK);
      if ((await stat(folder)).uid === ownUser()) return { folder };
      refusals.push(`${folder} belongs to another user`);
    } catch (cause) {
      refusals.push(messageOf(cause));
    }
  }
  return { refusals };
}
