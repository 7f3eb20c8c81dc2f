// Files unpacked from an archive, with a note of what they must be: whatever befalls them is noticed, and mended by
// unpacking again. Safe from many processes at once, in containers of their own too.

import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar-fs";
import { z } from "zod";
import { isOwnFile, ownUser } from "./trusted_folder.ts";

const noteFile = "contents.json";

const note = z.record(z.string(), z.strictObject({ bytes: z.number(), sha256: z.string() }));

type Note = z.infer<typeof note>;

/** Whether the folder holds the files as they were unpacked. */
export async function isUnpacked(folder: string, files: readonly string[]): Promise<boolean> {
  try {
    if (!(await isOwnFile(join(folder, noteFile)))) return false;
    const expected = note.parse(JSON.parse(await readFile(join(folder, noteFile), "utf8")));
    for (const file of files) {
      if (!(await isOwnFile(join(folder, file)))) return false;
      const { bytes, sha256 } = await describe(join(folder, file));
      if (bytes !== expected[file]?.bytes || sha256 !== expected[file].sha256) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Puts the files of the archive there, each in one step: who has an older one open keeps it. */
export async function unpackTo(
  folder: string,
  archive: string,
  files: readonly string[],
): Promise<void> {
  // The number of a process is its own in its container only.
  const scratch = `${folder}.${randomUUID()}.partial`;
  try {
    await pipeline(
      createReadStream(archive),
      createBrotliDecompress(),
      extract(scratch, {
        ignore: (name) => name !== scratch && !files.includes(basename(name)),
        // The archive's owner is its builder, whose number may be somebody here.
        map: (header) => ({ ...header, uid: ownUser(), gid: process.getgid?.() ?? 0 }),
      }),
    );
    const own: Note = {};
    for (const file of files) {
      await chmod(join(scratch, file), 0o644);
      own[file] = await describe(join(scratch, file));
    }
    await writeFile(join(scratch, noteFile), `${JSON.stringify(own, null, 1)}\n`, { mode: 0o644 });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    for (const file of [...files, noteFile]) await replace(join(scratch, file), join(folder, file));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function replace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch {
    // Something else than a file has that name.
    await rm(to, { recursive: true, force: true });
    await rename(from, to);
  }
}

async function describe(file: string): Promise<Note[string]> {
  const content = await readFile(file);
  return { bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
}
