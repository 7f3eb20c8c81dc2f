// A copy of the built product with one change to its text, and what runs of it come to.

import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { CheckMethod } from "../../src/harness/verify.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { Mutation } from "./mutations.ts";

export interface Run {
  readonly plan: Plan;
  readonly check: CheckMethod;
  /** Steps are timed, too. */
  readonly timed: boolean;
}

export interface Outcome {
  readonly caught: boolean;
  /** What the run ended with. */
  readonly by: string;
}

const runner = fileURLToPath(new URL("run_copy.js", import.meta.url));

/** @param mutation absent: the product as it is */
export async function runTampered(
  mutation: Mutation | undefined,
  adapter: string,
  runs: readonly Run[],
): Promise<Outcome[]> {
  const folder = await mkdtemp(join(tmpdir(), "shardbench-tamper-"));
  try {
    for (const part of ["dist", "shaders", "package.json"]) {
      const filter = (path: string): boolean => !path.endsWith(".map") && !path.endsWith(".d.ts");
      await cp(resolve(part), join(folder, part), { recursive: true, filter });
    }
    // Ranks run what `tsc` made of each file, which is what is changed, and not the bundle of all.
    await writeFile(join(folder, "dist/cli/rank.js"), 'import "../runtime/rank.js";\n');
    await symlink(resolve("node_modules"), join(folder, "node_modules"));
    if (mutation !== undefined) {
      await apply(folder, mutation.what, mutation);
      if (mutation.elsewhere !== undefined) {
        await apply(folder, mutation.what, mutation.elsewhere);
      }
    }
    const child = spawn(process.execPath, [runner], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.end(JSON.stringify({ folder, adapter, runs }));
    const lines = (await text(child.stdout)).trim().split("\n");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `run_copy.js` writes nothing else
    const outcomes = lines.map((line) => JSON.parse(line) as Outcome);
    if (outcomes.length !== runs.length)
      throw new Error(`${outcomes.length} of ${runs.length} runs`);
    return outcomes;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Throws where the text to be changed is not in each of the files: that form would not be tried. */
async function apply(
  folder: string,
  what: string,
  { files, from, to }: Pick<Mutation, "files" | "from" | "to">,
): Promise<void> {
  for (const file of files) {
    const path = join(folder, file);
    const before = await readFile(path, "utf8");
    const after = before.replaceAll(from, to);
    if (after === before) throw new Error(`"${what}" changes nothing in ${file}`);
    await writeFile(path, after);
  }
}
