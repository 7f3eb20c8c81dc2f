// Parts of files as memory, through the system's mmap: no copy is made, and pages come as they are touched.

import koffi from "koffi";

export interface MappedMemory {
  /** Stays mapped until the process ends: unmapping under a live view would crash it. */
  readonly memory: ArrayBuffer;
  /** Where the mapping begins in this process. */
  readonly address: bigint;
}

export function canMapFiles(): boolean {
  return process.platform === "linux" || process.platform === "darwin";
}

/** Less than that is mapped at once: an ArrayBuffer cannot be larger, and koffi ends the process that asks for one. */
export const mappableBytes = 2 ** 32;

const protections = { read: 1, "read and write": 3 } as const;

/** What is written is seen by all who map the file. */
const shared = 1;

type Mmap = (
  address: null,
  bytes: number,
  protection: number,
  flags: number,
  file: number,
  offset: number,
) => bigint;

const declaration =
  "void *mmap(void *address, size_t length, int protection, int flags, int file, int64 offset)";

/**
 * @param file descriptor; what lies behind its end must not be touched
 * @param offset a multiple of the page size
 * @param bytes less than `mappableBytes`
 */
export function mapFile(
  file: number,
  offset: number,
  bytes: number,
  access: keyof typeof protections,
): MappedMemory | { readonly errno: number } {
  const mmap: Mmap = koffi.load(null).func(declaration);
  const address = mmap(null, bytes, protections[access], shared, file, offset);
  if (BigInt.asIntN(64, address) === -1n) return { errno: koffi.errno() };
  return { memory: koffi.view(address, bytes), address };
}
