// A file that several processes map: the memory between ranks of one machine.

import { randomUUID } from "node:crypto";
import { closeSync, ftruncateSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EnvironmentError } from "../../../environment_error.ts";
import { mapFile, mappableBytes, type MappedMemory } from "../../../map_file.ts";
import type { SharedLayout } from "./layout.ts";

export interface SharedFile {
  /** Descriptor. */
  readonly file: number;
  readonly folder: string;
  /** Present where it does not lie where it should, with the reason. */
  readonly note?: string;
}

/** In memory where the machine has such a folder, the best first. */
function sharedFolders(): string[] {
  return process.platform === "linux" ? ["/dev/shm", tmpdir()] : [tmpdir()];
}

/**
 * Opens a file that has no name any more: ranks inherit it, and it is gone with the last of them however
 * they end. Only its words are written; slots get their pages from `occupy`.
 */
export function createSharedFile(
  size: Pick<SharedLayout, "bytes" | "controlBytes" | "leastBytes">,
  folders: readonly string[] = sharedFolders(),
): SharedFile {
  const refusals: string[] = [];
  for (const folder of folders) {
    const free = freeBytes(folder);
    if (free !== undefined && free < size.leastBytes) {
      refusals.push(`${folder} has ${free} bytes free`);
      continue;
    }
    try {
      const file = openSized(join(folder, `shardbench-${process.pid}-${randomUUID()}`), size);
      if (refusals.length === 0) return { file, folder };
      const why = `at least ${size.leastBytes} bytes are needed and ${refusals.join("; ")}`;
      return { file, folder, note: `ranks share memory through a file in ${folder}: ${why}` };
    } catch (cause) {
      refusals.push(String(cause));
    }
  }
  throw new EnvironmentError(
    "no-shared-memory",
    `ranks need at least ${size.leastBytes} bytes of shared memory: ${refusals.join("; ")}`,
    roomHint,
  );
}

const roomHint =
  "free space in /dev/shm, or enlarge it (docker: --shm-size), or use a smaller batch";

/** Undefined where the system does not say. */
function freeBytes(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

function openSized(
  path: string,
  { bytes, controlBytes }: Pick<SharedLayout, "bytes" | "controlBytes">,
): number {
  const file = openSync(path, "wx+", 0o600);
  try {
    rmSync(path);
    ftruncateSync(file, bytes);
    writeZeros(file, 0, controlBytes);
    return file;
  } catch (cause) {
    closeSync(file);
    throw cause;
  }
}

/**
 * Gives a part of the file its pages, to be called before it is first touched: a process that touches one
 * that the file system has no room for is killed.
 */
export function reservePages(file: number, offset: number, bytes: number): void {
  try {
    writeZeros(file, offset, bytes);
  } catch (cause) {
    const free = freeBytes(`/proc/self/fd/${file}`);
    const left = free === undefined ? "" : `, ${free} bytes are free`;
    throw new EnvironmentError(
      "no-shared-memory",
      `no room for ${bytes} more bytes of shared memory${left}: ${String(cause)}`,
      roomHint,
    );
  }
}

function writeZeros(file: number, offset: number, bytes: number): void {
  const block = new Uint8Array(Math.min(bytes, 1 << 20));
  for (let done = 0; done < bytes;) {
    done += writeSync(file, block, 0, Math.min(block.length, bytes - done), offset + done);
  }
}

/** Maps parts of the file, each when it is first asked for; offsets are multiples of the page size. */
export function createMapper(file: number): (offset: number, bytes: number) => MappedMemory {
  const mapped = new Map<number, MappedMemory>();
  return (offset, bytes) => {
    const known = mapped.get(offset);
    if (known !== undefined) return known;
    const part = mapPart(file, offset, bytes);
    mapped.set(offset, part);
    return part;
  };
}

function mapPart(file: number, offset: number, bytes: number): MappedMemory {
  const smaller = "use a smaller batch, or let ranks exchange messages through the coordinator";
  if (bytes >= mappableBytes) {
    const message = `a message of up to ${bytes} bytes; less than ${mappableBytes} can be mapped`;
    throw new EnvironmentError("no-shared-memory", message, smaller);
  }
  const mapped = mapFile(file, offset, bytes, "read and write");
  if ("errno" in mapped) {
    const message = `${bytes} bytes of shared memory cannot be mapped, errno ${mapped.errno}`;
    throw new EnvironmentError("no-shared-memory", message, smaller);
  }
  return mapped;
}
