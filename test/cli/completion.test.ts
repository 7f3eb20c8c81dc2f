import { execFile, execFileSync } from "node:child_process";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { shardbench } from "./shardbench.ts";

function hasShell(shell: string): boolean {
  try {
    execFileSync(shell, ["-c", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** What bash offers when the tab key is pressed after these words. */
function offered(script: string, words: readonly string[], cwd: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const list = words.map((word) => `'${word}'`).join(" ");
    const program = `${script}
COMP_WORDS=(shardbench ${list}); COMP_CWORD=${words.length}; _shardbench
for each in "\${COMPREPLY[@]}"; do echo "$each"; done`;
    execFile("bash", ["--norc", "-c", program], { cwd }, (error, stdout, stderr) => {
      if (error !== null || stderr !== "") reject(new Error(stderr, { cause: error }));
      else resolve(stdout.split("\n").filter((line) => line !== ""));
    });
  });
}

describe.skipIf(!hasShell("bash"))("in bash", () => {
  let script = "";
  let folder = "";
  beforeAll(async () => {
    script = (await shardbench(["completion", "bash"])).stdout;
    folder = await mkdtemp(join(tmpdir(), "shardbench-completion-"));
    await mkdir(join(folder, "plans"));
    for (const name of ["a plan.yaml", "b.json", "notes.txt"]) {
      await writeFile(join(folder, name), "");
    }
  });

  test.each([
    ["the beginning of a command", ["est"], ["estimate"]],
    ["every option of a command that fits", ["check", "--r"], ["--repair"]],
    ["options of one command only", ["adapters", "--repair"], []],
    ["the shells", ["completion", ""], ["bash", "zsh", "fish"]],
    ["plans and folders, names with spaces whole", ["run", ""], ["a plan.yaml", "b.json", "plans"]],
    [
      "any file after an option that takes one",
      ["compare", "b.json", "--result", "n"],
      ["notes.txt"],
    ],
    ["nothing for a value that nobody can guess", ["estimate", "--peak-flops", ""], []],
    ["commands to get help on", ["help", "desc"], ["describe"]],
  ])("%s", async (_name, words, expected) => {
    expect(await offered(script, words, folder)).toEqual(expected);
  });

  test("every command of the help is offered", async () => {
    const { stdout } = await shardbench(["--help"]);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].flatMap(([, name]) => name ?? []);
    const found = await offered(script, [""], folder);
    expect(commands.length).toBeGreaterThan(7);
    expect(commands.filter((name) => !found.includes(name))).toEqual([]);
  });
});

test.each(["zsh", "fish"])("the script for %s names every command and option", async (shell) => {
  const { stdout, code } = await shardbench(["completion", shell]);
  expect(code).toBe(0);
  for (const word of ["check", "estimate", "describe", "completion"]) {
    expect(stdout).toContain(word);
  }
  expect(stdout).toMatch(/(--|-l )link-bandwidth/);
  expect(stdout).toContain("yaml");
});

test.each(["zsh", "fish"].filter(hasShell))("%s accepts its script", async (shell) => {
  const { stdout } = await shardbench(["completion", shell]);
  const folder = await mkdtemp(join(tmpdir(), "shardbench-completion-"));
  const file = join(folder, "script");
  await writeFile(file, stdout);
  expect(() => execFileSync(shell, ["-n", file])).not.toThrow();
});

test("another shell is refused with those that are known", async () => {
  const { code, stderr } = await shardbench(["completion", "tcsh"]);
  expect(code).toBe(64);
  expect(stderr).toContain("bash, zsh, fish");
});
