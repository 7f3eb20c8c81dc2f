import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { diagnosticsPage } from "../../src/check/explain/page.ts";

test("docs/diagnostics.md is what the rules say today", async () => {
  expect(await readFile("docs/diagnostics.md", "utf8")).toBe(diagnosticsPage());
});
