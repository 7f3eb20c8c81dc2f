// Writes a synthetic data set, whole or not at all.

import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { type SyntheticTokens, syntheticTokens } from "./synthetic_tokens.ts";

export async function writeSyntheticTokens(path: string, asked: SyntheticTokens): Promise<void> {
  const unfinished = `${path}.${randomUUID()}.tmp`;
  const handle = await open(unfinished, "wx");
  try {
    for (const ids of syntheticTokens(asked)) await handle.write(ids);
    await handle.close();
    await rename(unfinished, path);
  } catch (error) {
    await handle.close();
    await rm(unfinished, { force: true });
    throw error;
  }
}
