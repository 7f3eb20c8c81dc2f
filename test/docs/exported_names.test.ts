// A type's name has one meaning in the whole project.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

test("no two files export types of one name", async () => {
  const files = await readdir("src", { recursive: true });
  const places = new Map<string, string[]>();
  for (const file of files.filter((name) => name.endsWith(".ts"))) {
    const text = await readFile(join("src", file), "utf8");
    for (const [, name = ""] of text.matchAll(/^export (?:interface|type|class) (\w+)/gm)) {
      places.set(name, [...(places.get(name) ?? []), file]);
    }
  }
  expect(places.size).toBeGreaterThan(500);
  expect([...places].filter(([, own]) => own.length > 1)).toEqual([]);
});
