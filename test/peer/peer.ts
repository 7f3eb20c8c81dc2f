// llama.cpp as a peer: somebody else's definition of the models. It computes in f32 here, weights and cached keys
// included, so that its logits differ from ours by rounding.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

/** Binaries of llama.cpp for linux-x64, an optional dependency. */
const packageName = "@node-llama-cpp/linux-x64";

const program = resolve("test/peer/llama_cpp.js");

type FoundPeer =
  | { readonly folder: string; readonly missing?: undefined }
  | { readonly folder?: undefined; readonly missing: string };

/** Folder of its libraries, or why there is none. */
export function findPeer(): FoundPeer {
  try {
    const entry = createRequire(import.meta.url).resolve(packageName);
    const folder = join(dirname(entry), "../bins/linux-x64");
    return existsSync(folder) ? { folder } : { missing: `${packageName} has no libraries` };
  } catch {
    return { missing: `${packageName} is not installed` };
  }
}

/** Logits [tokens, vocabulary] of a GGUF file. @throws Error with what llama.cpp said last */
export function peerLogits(folder: string, gguf: string, tokens: readonly number[]): Float32Array {
  const { stdout, stderr, status, signal } = spawnSync(
    process.execPath,
    [program, folder, gguf, tokens.join(",")],
    { maxBuffer: 2 ** 28 },
  );
  if (stdout.length === 0) {
    const words = stderr.toString().trim().split("\n").slice(-12).join("\n");
    throw new Error(`llama.cpp ended with ${status ?? signal}:\n${words}`);
  }
  return new Float32Array(Uint8Array.from(stdout).buffer);
}
