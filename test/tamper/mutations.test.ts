// After `npm run build`, like the suite that makes the changes.

import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { mutations } from "./mutations.ts";

test.each(mutations)("$what: its text is where it is to be changed", async (mutation) => {
  const { elsewhere } = mutation;
  for (const { files, from } of [mutation, ...(elsewhere === undefined ? [] : [elsewhere])]) {
    for (const file of files) expect(await readFile(file, "utf8")).toContain(from);
  }
});
