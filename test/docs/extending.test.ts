// docs/extending.md says which files an extension touches: each must be there, and as many as it says.

import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { describe, expect, test } from "vitest";

interface Extension {
  readonly title: string;
  readonly text: string;
  readonly paths: readonly string[];
}

const page = await readFile("docs/extending.md", "utf8");
const extensions = page
  .split(/^## /m)
  .slice(1)
  .map((text): Extension => {
    const [title = ""] = text.split("\n", 1);
    const steps = text.split("\n").filter((line) => /^(?:\d+\.| {3}) ?\S/.test(line));
    return { title, text, paths: pathsIn(steps.join("\n")) };
  });

function pathsIn(text: string): string[] {
  const paths = [...text.matchAll(/`((?:[\w.<>-]+\/)+[\w.<>-]*)`/g)].map(([, path = ""]) => path);
  return [...new Set(paths)];
}

/** A path with placeholders is one of the variant that it gives. */
function isThere(path: string): boolean {
  if (!path.includes("<")) return existsSync(path);
  const folder = dirname(path);
  if (folder.includes("<")) {
    const above = folder.slice(0, folder.indexOf("<"));
    return readdirSync(above, { withFileTypes: true }).some(
      (entry) => entry.isDirectory() && isThere(path.replace(/<\w+>/, () => entry.name)),
    );
  }
  const pattern = new RegExp(
    `^${basename(path)
      .replaceAll(".", String.raw`\.`)
      .replaceAll(/<\w+>/g, String.raw`\w+`)}$`,
  );
  return existsSync(folder) && readdirSync(folder).some((name) => pattern.test(name));
}

test("the page has a section for each extension", () => {
  expect(extensions.map(({ title }) => title)).toEqual([
    "Add a kernel",
    "Add an activation",
    "Add a layer",
    "Add a collective",
    "Add an algorithm of all-reduce",
    "Add a transport",
    "Add a family of checkpoints",
    "Add a rule",
    "Add a section of a report",
    "Add a renderer",
  ]);
});

describe.each(extensions)("$title", ({ text, paths }) => {
  test("names files and folders that exist", () => {
    expect(pathsIn(text).filter((path) => !isThere(path))).toEqual([]);
  });

  test("touches as many as it says", () => {
    const [, files] = /^(\d+) files/m.exec(text) ?? [];
    expect(paths).toHaveLength(Number(files));
  });
});

test.each(["src/kernels/<name>.go", "src/nowhere/<name>.ts", "src/check/rules/<chapter>/all.ts"])(
  "control: %s is missed",
  (path) => {
    expect(isThere(path)).toBe(false);
  },
);
