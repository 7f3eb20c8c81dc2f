// Installs the peers where that has not been done, then starts the bench with TypeScript understood.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));

const run = (command, args, options = {}) => {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", ...options });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
};

if (!existsSync(new URL("node_modules", import.meta.url))) {
  // About 370 MB; no peer needs its install script.
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: folder,
    shell: process.platform === "win32",
  });
}
run(process.execPath, [
  "--import",
  import.meta.resolve("tsx"),
  `${folder}main.ts`,
  ...process.argv.slice(2),
]);
