// The versions of everything that has a say in a figure.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { release } from "node:os";
import type { Versions } from "./result.ts";

export const readVersions = (): Versions => ({
  shardbench: shardbenchVersion(),
  node: process.versions.node,
  webgpu: webgpuVersion(),
  os: `${process.platform} ${release()} ${process.arch}`,
});

// Resolves to the same file from src/report and from dist/report.
export const shardbenchVersion = (): string =>
  versionIn(new URL("../../package.json", import.meta.url));

/** Read, not imported: the process that asks must not load Dawn. */
const webgpuVersion = (): string => {
  const entry = createRequire(import.meta.url).resolve("webgpu/package.json");
  return versionIn(entry);
};

const versionIn = (file: string | URL): string => {
  const content: unknown = JSON.parse(readFileSync(file, "utf8"));
  const version: unknown =
    typeof content === "object" && content !== null && Reflect.get(content, "version");
  return typeof version === "string" ? version : "unknown";
};
