// A file's bytes as memory: mapped in windows when they are first asked for, so that nothing is copied and files of any
// size can be read. Where the system maps no files, what is asked for is read instead.

import { openSync, readSync } from "node:fs";
import { canMapFiles, mapFile } from "../map_file.ts";
import { EnvironmentError } from "../environment_error.ts";

export interface FileSpan {
  readonly memory: ArrayBuffer;
  /** Of the memory's first byte, from the file's begin. */
  readonly offset: number;
}

export interface FileWindows {
  /** Any so many bytes in a row lie in one window. */
  readonly windowBytes: number;
  /** Memory that has bytes [offset, offset + bytes) of the file in it; at most `windowBytes`, all in the file. */
  span(offset: number, bytes: number): FileSpan;
}

/**
 * @param fileBytes how long the file is; it must not become shorter
 * @param windowBytes a multiple of the page size
 */
export function createFileWindows(
  file: string,
  fileBytes: number,
  windowBytes = 2 ** 30,
): FileWindows {
  let descriptor: number | undefined;
  const windows = new Map<number, FileSpan>();
  return {
    windowBytes,
    span(offset, bytes) {
      descriptor ??= openSync(file, "r");
      if (!canMapFiles()) return readSpan(file, descriptor, offset, bytes);
      const start = Math.floor(offset / windowBytes) * windowBytes;
      const known = windows.get(start);
      if (known !== undefined) return known;
      // A span may begin at the end of the first half.
      const length = Math.min(2 * windowBytes, fileBytes - start);
      const mapped = mapFile(descriptor, start, length, "read");
      if ("errno" in mapped) {
        throw new EnvironmentError(
          "file-not-readable",
          `${length} bytes of ${file} cannot be mapped, errno ${mapped.errno}`,
          "free address space, or put the file on a disk of this machine",
        );
      }
      const span = { memory: mapped.memory, offset: start };
      windows.set(start, span);
      return span;
    },
  };
}

function readSpan(file: string, descriptor: number, offset: number, bytes: number): FileSpan {
  const memory = new ArrayBuffer(bytes);
  for (let done = 0; done < bytes;) {
    const length = readSync(descriptor, new Uint8Array(memory, done), { position: offset + done });
    if (length === 0) {
      throw new EnvironmentError(
        "file-not-readable",
        `${file} ends at byte ${offset + done}`,
        "download the file again",
      );
    }
    done += length;
  }
  return { memory, offset };
}
