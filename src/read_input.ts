// Reads what a user names: a file, or whatever a pipe such as <(…) gives. Never more than is asked for, and never for
// longer than somebody writes: a name may also be that of a device without an end, or of a pipe nobody writes to.

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";

/** More than any text that is written here, and what fits into a string. */
const mostTextBytes = 2 ** 28;

const chunkBytes = 65_536;

/** Between two looks at a pipe, and how long it may stay silent. */
const pauseMs = 20;
const silenceMs = 10_000;

/** @throws Error where it is larger than 256 MB, endless devices included, or where it cannot be read */
export async function readInput(file: string): Promise<string> {
  return (await readBytes(file, mostTextBytes)).toString("utf8");
}

/** @throws Error that says why it cannot be read; `InputTooLarge` where it has more than `most` bytes */
export async function readBytes(file: string, most: number): Promise<Buffer> {
  // Without the flag, opening a pipe waits for somebody who writes to it.
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const kind = await handle.stat();
    if (kind.isFile() && kind.size > most) throw new InputTooLarge(most);
    if (kind.isFIFO()) return await readAll(most, async (into) => readPipe(handle, into));
    if (kind.isFile()) return await readAll(most, async (into) => readNext(handle, into));
    throw new Error(`it is ${kind.isDirectory() ? "a folder" : "a device"}, not a file`);
  } finally {
    await handle.close();
  }
}

export class InputTooLarge extends Error {
  constructor(most: number) {
    super(`it has more than ${most} bytes`);
  }
}

async function readAll(most: number, read: (into: Buffer) => Promise<number>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let bytes = 0; ;) {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const length = await read(chunk);
    if (length === 0) return Buffer.concat(chunks);
    bytes += length;
    if (bytes > most) throw new InputTooLarge(most);
    chunks.push(chunk.subarray(0, length));
  }
}

async function readNext(handle: FileHandle, into: Buffer): Promise<number> {
  return (await handle.read(into, 0, into.length)).bytesRead;
}

/** Looks again as long as there is a writer who has written nothing yet. */
async function readPipe(handle: FileHandle, into: Buffer): Promise<number> {
  for (let waitedMs = 0; waitedMs < silenceMs; waitedMs += pauseMs) {
    try {
      return await readNext(handle, into);
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "EAGAIN") throw error;
    }
    await setTimeout(pauseMs);
  }
  throw new Error(`it is a pipe, and nothing was written to it for ${silenceMs / 1000} s`);
}
