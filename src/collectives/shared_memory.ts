// A file that several processes map: the memory between ranks of one machine.

import { randomUUID } from "node:crypto";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import koffi from "koffi";
import { EnvironmentError } from "../environment_error.ts";

export interface SharedMemory {
  /** Stays mapped until the process ends: unmapping under a live view would crash it. */
  readonly memory: ArrayBuffer;
  /** Where the mapping begins in this process. */
  readonly address: bigint;
}

export const canShareMemory = (): boolean =>
  process.platform === "linux" || process.platform === "darwin";

/**
 * Opens a file of zeros that has no name any more, in memory where the machine has such a folder: ranks
 * inherit it, and it is gone with the last of them however they end. Every page is written, because a file
 * system that fills up later would kill the rank that touches it.
 *
 * @returns its file descriptor
 */
export function createSharedFile(bytes: number): number {
  const folders = process.platform === "linux" ? ["/dev/shm", tmpdir()] : [tmpdir()];
  const refusals: string[] = [];
  for (const folder of folders) {
    try {
      return openZeros(join(folder, `shardbench-${process.pid}-${randomUUID()}`), bytes);
    } catch (cause) {
      refusals.push(String(cause));
    }
  }
  throw new EnvironmentError(
    "no-shared-memory",
    `no room for ${bytes} bytes of shared memory: ${refusals.join("; ")}`,
    "free space in /dev/shm, or enlarge it (docker: --shm-size), or use a smaller batch",
  );
}

function openZeros(path: string, bytes: number): number {
  const file = openSync(path, "wx+", 0o600);
  try {
    rmSync(path);
    const block = new Uint8Array(Math.min(bytes, 1 << 20));
    for (let done = 0; done < bytes;) {
      done += writeSync(file, block, 0, Math.min(block.length, bytes - done));
    }
    return file;
  } catch (cause) {
    closeSync(file);
    throw cause;
  }
}

type Mmap = (
  address: null,
  bytes: number,
  protection: number,
  flags: number,
  file: number,
  offset: number,
) => bigint;

/** @param file descriptor; may be closed afterwards */
export function mapSharedFile(file: number, bytes: number): SharedMemory {
  const mmap: Mmap = koffi
    .load(null)
    .func(
      "void *mmap(void *address, size_t length, int protection, int flags, int file, int64 offset)",
    );
  const readAndWrite = 3;
  const shared = 1;
  const address = mmap(null, bytes, readAndWrite, shared, file, 0);
  if (BigInt.asIntN(64, address) === -1n) {
    throw new EnvironmentError(
      "no-shared-memory",
      `${bytes} bytes of shared memory cannot be mapped, errno ${koffi.errno()}`,
      "use a smaller batch, or let ranks exchange messages through the coordinator",
    );
  }
  return { memory: koffi.view(address, bytes), address };
}
