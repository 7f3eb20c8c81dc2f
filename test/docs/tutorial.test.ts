// The tutorial's commands run as they are written, and print what the page shows; `…` stands for anything.

import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { expect, test } from "vitest";

interface Command {
  readonly line: string;
  readonly shown: readonly string[];
}

function commandsOf(page: string): Command[] {
  return [...page.matchAll(/^```console\n([^]*?)^```$/gm)].flatMap(([, block = ""]) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [line = "", ...shown] = part.trimEnd().split("\n");
        return { line, shown };
      }),
  );
}

/** A line of nothing but the sign stands for any lines, also for none. */
function patternOf(shown: readonly string[]): RegExp {
  const lines = shown.map((line) =>
    line === "…"
      ? "(?:.*\n)*?"
      : `${line
          .split("…")
          .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
          .join(".*")}\n`,
  );
  return new RegExp(`^${lines.join("")}$`);
}

test("control: what is shown is asked for, line by line", () => {
  expect("a\nb\nc\n").toMatch(patternOf(["a", "…", "c"]));
  expect("a\nc\n").toMatch(patternOf(["a", "…", "c"]));
  expect("a\nb\nc\n").not.toMatch(patternOf(["a", "c"]));
  expect("a 1.5 ms\n").toMatch(patternOf(["a … ms"]));
  expect("a 1.5 s\n").not.toMatch(patternOf(["a … ms"]));
  expect("a.b\n").not.toMatch(patternOf(["a+b"]));
});

test.skipIf(process.platform === "win32")(
  "the tutorial works from its first line to its last",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "shardbench-tutorial-"));
    await symlink(resolve("configs"), join(folder, "configs"));
    const bin = join(folder, "bin");
    await mkdir(bin);
    const program = `#!/bin/sh\nexec "${process.execPath}" "${resolve("dist/cli/main.js")}" "$@"\n`;
    await writeFile(join(bin, "shardbench"), program);
    await chmod(join(bin, "shardbench"), 0o755);
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` };
    const run = (line: string): Promise<string> =>
      new Promise((done) => {
        execFile("/bin/sh", ["-c", `( ${line} ) 2>&1`], { cwd: folder, env }, (_, text) =>
          done(text),
        );
      });
    const commands = commandsOf(await readFile("docs/tutorial.md", "utf8"));
    expect(commands.length).toBeGreaterThan(8);
    for (const { line, shown } of commands) {
      expect(`$ ${line}\n${await run(line)}`).toMatch(patternOf([`$ ${line}`, ...shown]));
    }
    for (const page of [
      "report.html",
      "techniques.html",
      "report.md",
      "first.pftrace",
      "page.html",
    ]) {
      const { size } = await stat(join(folder, page));
      expect(size).toBeGreaterThan(5000);
      expect(size).toBeLessThan(3e6);
    }
  },
  600_000,
);
