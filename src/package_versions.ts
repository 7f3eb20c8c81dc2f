// Versions of this package and of the one that brings Dawn.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// Resolves to the same file from src and from dist.
export function shardbenchVersion(): string {
  return versionIn(new URL("../package.json", import.meta.url));
}

/** Read, not imported: the process that asks must not load Dawn. */
export function webgpuVersion(): string {
  return versionIn(createRequire(import.meta.url).resolve("webgpu/package.json"));
}

function versionIn(file: string | URL): string {
  const content: unknown = JSON.parse(readFileSync(file, "utf8"));
  const version: unknown =
    typeof content === "object" && content !== null && Reflect.get(content, "version");
  return typeof version === "string" ? version : "unknown";
}
