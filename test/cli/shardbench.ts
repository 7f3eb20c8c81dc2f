// Runs the built command line as a user does: in a process of its own, its output piped.

import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const main = resolve("dist/cli/main.js");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Needs `npm run build` first, as `npm test` does. */
export function shardbench(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return new Promise((done) => {
    const { FORCE_COLOR: _, NO_COLOR: __, ...inherited } = process.env;
    const child = execFile(
      process.execPath,
      [main, ...parameters],
      { env: { ...inherited, ...environment }, maxBuffer: 2 ** 26 },
      (_error, stdout, stderr) => done({ code: child.exitCode, stdout, stderr }),
    );
  });
}

/** A file in a folder of its own; gives its path. */
export async function fileWith(name: string, text: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "shardbench-cli-")), name);
  await writeFile(path, text);
  return path;
}
