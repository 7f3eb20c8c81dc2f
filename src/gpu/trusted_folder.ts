// Whether nobody else can change what lies in a folder. Libraries are loaded from it into this process.

import { lstat, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";

const othersWrite = 0o022;
const sticky = 0o1000;

/** 0 where the system has no users of its own kind. */
export function ownUser(): number {
  return process.getuid?.() ?? 0;
}

/**
 * Why another user could put something in the place of the folder or of what lies in it; undefined where none could.
 * In a sticky folder such as /tmp everybody may create, and only owners may replace.
 */
export async function distrustOf(folder: string): Promise<string | undefined> {
  if (process.getuid === undefined) return undefined;
  const own = await realpath(folder);
  const { uid, mode } = await stat(own);
  if (uid !== ownUser()) return `${folder} belongs to another user`;
  if ((mode & othersWrite) !== 0) return `others can write to ${folder}`;
  for (let parent = dirname(own); ; parent = dirname(parent)) {
    const above = await stat(parent);
    if (above.uid !== ownUser() && above.uid !== 0) return `${parent} belongs to another user`;
    if ((above.mode & othersWrite) !== 0 && (above.mode & sticky) === 0) {
      return `others can write to ${parent}`;
    }
    if (parent === dirname(parent)) return undefined;
  }
}

/** Whether it is a file, and no other user can change it where it lies. */
export async function isOwnFile(file: string): Promise<boolean> {
  const found = await lstat(file);
  if (!found.isFile()) return false;
  return (
    process.getuid === undefined || (found.uid === ownUser() && (found.mode & othersWrite) === 0)
  );
}
