// Reads a text that a user names: a file, or whatever a pipe such as <(…) gives.

import { open } from "node:fs/promises";

/** More than any that is written here, and what fits into a string. */
const mostBytes = 2 ** 28;

/** @throws Error where it is larger than 256 MB, endless devices included, or where it cannot be read */
export const readInput = async (file: string): Promise<string> => {
  const handle = await open(file);
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of handle.createReadStream({ autoClose: false })) {
      const buffer = Buffer.from(chunk);
      bytes += buffer.length;
      if (bytes > mostBytes) throw new Error(`it has more than ${mostBytes} bytes`);
      chunks.push(buffer);
    }
    return Buffer.concat(chunks).toString("utf8");
  } finally {
    await handle.close();
  }
};
