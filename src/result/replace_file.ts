// Writes a file in one step: readers see the old content or the new, and never a part of it.

import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { open, realpath, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Where the file is a link, what it points to is replaced. The new content lies beside it until it is whole, under a
 * name that no other process has, in whatever container; it does not stay when the process is ended meanwhile.
 *
 * @param mode permissions of the file
 */
export async function replaceFile(
  file: string,
  text: string | Uint8Array,
  mode = 0o666,
): Promise<void> {
  const target = await realpath(file).catch(() => file);
  await withUnfinished(dirname(target), mode, async (unfinished, handle) => {
    await handle.writeFile(text);
    await handle.sync();
    try {
      await rename(unfinished, target);
    } catch (error) {
      // A mounted file, or one of others in a folder like /tmp, can be written into, but not replaced.
      if (!cannotBeReplaced.has(codeOf(error))) throw error;
      await writeFile(target, text);
      await rm(unfinished, { force: true });
    }
  });
}

/** Throws where no file can be made beside that one. */
export async function probeReplacing(file: string): Promise<void> {
  const target = await realpath(file).catch(() => file);
  await withUnfinished(dirname(target), 0o600, async (unfinished) => rm(unfinished));
}

const cannotBeReplaced: ReadonlySet<unknown> = new Set(["EBUSY", "EPERM", "EXDEV"]);

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

async function withUnfinished(
  folder: string,
  mode: number,
  use: (unfinished: string, handle: Awaited<ReturnType<typeof open>>) => Promise<void>,
): Promise<void> {
  const unfinished = join(folder, `.shardbench-${randomUUID()}.tmp`);
  const remove = (): void => rmSync(unfinished, { force: true });
  process.once("exit", remove);
  try {
    const handle = await open(unfinished, "wx", mode);
    try {
      await use(unfinished, handle);
    } finally {
      await handle.close();
    }
  } catch (error) {
    remove();
    throw error;
  } finally {
    process.off("exit", remove);
  }
}
