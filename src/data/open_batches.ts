// Finds the file of a program's data set, or makes it where the plan names none.

import { existsSync } from "node:fs";
import { resolve, join } from "node:path";
import { EnvironmentError } from "../environment_error.ts";
import { findCacheFolder } from "../gpu/cache_folder.ts";
import { type Batches, batchesOf } from "./batches.ts";
import { writeSyntheticTokens } from "./write_synthetic_tokens.ts";
import type { TokenSource } from "../program/token_source.ts";

/** @throws EnvironmentError `data-refused` where there is no such file, or it is none of token ids */
export async function openBatches(source: TokenSource): Promise<Batches> {
  const path = source.path === undefined ? await madeFile(source) : resolve(source.path);
  return batchesOf({ ...source, path });
}

/** Kept for later runs. */
async function madeFile({ tokens, vocabulary, dtype, seed }: TokenSource): Promise<string> {
  const found = await findCacheFolder();
  if ("refusals" in found) {
    throw new EnvironmentError(
      "file-not-writable",
      `no folder to make a data set in: ${found.refusals.join("; ")}`,
      "set XDG_CACHE_HOME, or name a file with workload.data.path",
    );
  }
  const file = join(found.folder, `tokens-v1-${tokens}-of-${vocabulary}-${dtype}-seed-${seed}.bin`);
  if (!existsSync(file)) {
    await writeSyntheticTokens(file, { tokens, vocabulary, dtype, seed });
  }
  return file;
}
