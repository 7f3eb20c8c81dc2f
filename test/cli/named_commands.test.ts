// Commands that a check names run as they are written.

import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { fileWith, shardbench } from "./shardbench.ts";

const broken = JSON.stringify({
  name: "heads",
  hardware: { gpus: 3 },
  workload: { batch: 4 },
  model: { layers: 2, hidden: 32, heads: 4 },
  parallel: { tensor: 3 },
});

function named(text: string): string[][] {
  return [...text.matchAll(/`shardbench ([^`]+)`/g)].map(([, words = ""]) => words.split(/\s+/));
}

test("what a check says to run next can be run", async () => {
  const configs = (await readdir("configs")).filter((name) => name !== "plan.schema.json");
  const files = [...configs.map((name) => `configs/${name}`), await fileWith("plan.json", broken)];
  const seen = new Set<string>();
  for (const file of files) {
    const { stdout } = await shardbench(["check", file]);
    for (const words of named(stdout)) {
      seen.add(words[0] ?? "");
      const { code, stderr } = await shardbench(words);
      expect([0, 3], `${words.join(" ")}: ${stderr}`).toContain(code);
    }
  }
  expect([...seen].toSorted()).toEqual(["check", "claims"]);
});
