// Where a machine may keep the vendor's libraries: the loader's own places first, then toolkits and wheels.

import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const patterns = [
  "/usr/local/cuda*/lib64",
  "/usr/local/cuda*/targets/*/lib",
  "/usr/local/nvidia/lib64",
  "/usr/lib/x86_64-linux-gnu",
  ...[
    "/usr/lib",
    "/usr/local/lib",
    "/opt/*/lib",
    "/opt/*/*/lib",
    `${homedir()}/.local/lib`,
  ].flatMap((root) =>
    ["site-packages", "dist-packages"].map(
      (packages) => `${root}/python3*/${packages}/nvidia/*/lib`,
    ),
  ),
];

/** Names with a version that were found there, whole paths; then the bare ones, for the loader to look for. */
export function candidatesOf(library: string, versions: readonly number[]): string[] {
  const names = [...versions.map((version) => `${library}.so.${version}`), `${library}.so`];
  const folders = patterns.flatMap(expand);
  return [...names, ...folders.flatMap((folder) => names.map((name) => join(folder, name)))].filter(
    (path) => !path.includes("/") || existsSync(path),
  );
}

/** Folders that fit: `*` stands for any part of a name. */
function expand(pattern: string): string[] {
  let found = ["/"];
  for (const step of pattern.split("/").filter((name) => name !== "")) {
    if (!step.includes("*")) {
      found = found.map((folder) => join(folder, step));
      continue;
    }
    const [before = "", after = ""] = step.split("*");
    found = found.flatMap((folder) =>
      namesIn(folder)
        .filter((name) => name.startsWith(before) && name.endsWith(after))
        .map((name) => join(folder, name)),
    );
  }
  return found.filter((folder) => existsSync(folder));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
