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
 * Creates a file of zeros, in memory where the machine has such a folder. Every page is written, because
 * a file system that fills up later would kill the rank that touches it.
 */
export function createSharedFile(bytes: number): string {
  const folders = process.platform === "linux" ? ["/dev/shm", tmpdir()] : [tmpdir()];
  const refusals: string[] = [];
  for (const folder of folders) {
    const path = join(folder, `shardbench-${process.pid}-${randomUUID()}`);
    try {
      writeZeros(path, bytes);
      return path;
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

function writeZeros(path: string, bytes: number): void {
  const file = openSync(path, "wx", 0o600);
  try {
    const block = new Uint8Array(Math.min(bytes, 1 << 20));
    for (let done = 0; done < bytes;) {
      done += writeSync(file, block, 0, Math.min(block.length, bytes - done));
    }
  } catch (cause) {
    rmSync(path, { force: true });
    throw cause;
  } finally {
    closeSync(file);
  }
}

/** The name may go as soon as everyone has mapped the file; the memory lives as long as its mappings. */
export const removeSharedFile = (path: string): void => rmSync(path, { force: true });

type Mmap = (
  address: null,
  bytes: number,
  protection: number,
  flags: number,
  file: number,
  offset: number,
) => bigint;

export function mapSharedFile(path: string, bytes: number): SharedMemory {
  const mmap: Mmap = koffi
    .load(null)
    .func(
      "void *mmap(void *address, size_t length, int protection, int flags, int file, int64 offset)",
    );
  const readAndWrite = 3;
  const shared = 1;
  const file = openSync(path, "r+");
  try {
    const address = mmap(null, bytes, readAndWrite, shared, file, 0);
    if (BigInt.asIntN(64, address) === -1n) throw new Error(`mmap failed, errno ${koffi.errno()}`);
    return { memory: koffi.view(address, bytes), address };
  } catch (cause) {
    throw new EnvironmentError(
      "no-shared-memory",
      `${bytes} bytes of ${path} cannot be mapped: ${String(cause)}`,
      "use a smaller batch, or let ranks exchange messages through the coordinator",
    );
  } finally {
    closeSync(file);
  }
}
