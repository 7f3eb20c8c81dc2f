import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { importPlan } from "../../src/plan/import/import_plan.ts";
import { countParameters, type ParameterCount } from "../../src/plan/parameters.ts";
import { modelOf } from "../../src/plan/stages_from_degrees.ts";

async function counted(name: string): Promise<ParameterCount> {
  const text = await readFile(`test/import/fixtures/${name}.json`, "utf8");
  const { file, diagnostics } = importPlan([{ name: "config.json", text }]);
  if (file?.model === undefined) throw new Error(JSON.stringify(diagnostics));
  return countParameters(modelOf(file.model));
}

/** How far off, where half a percent, or half a unit of the published last digit, is 1. */
function deviation(found: number, published: number, lastDigit: number): number {
  return Math.abs(found - published) / Math.max(0.005 * published, lastDigit / 2);
}

test.each([
  ["llama-3-8b", 8.03e9, 0.01e9],
  ["llama-3-70b", 70.6e9, 0.1e9],
  ["llama-3.2-1b", 1.24e9, 0.01e9],
  ["mistral-7b-v0.1", 7.24e9, 0.01e9],
  ["mixtral-8x7b", 46.7e9, 0.1e9],
  ["qwen2.5-7b", 7.62e9, 0.01e9],
  ["qwen1.5-moe-a2.7b", 14.3e9, 0.1e9],
  ["qwen3-8b", 8.19e9, 0.01e9],
  ["qwen3-30b-a3b", 30.5e9, 0.1e9],
  ["deepseek-v3", 671e9, 1e9],
  ["deepseek-v2-lite", 15.7e9, 0.1e9],
  ["gpt2", 124e6, 1e6],
  ["gpt-neox-20b", 20.6e9, 0.1e9],
  ["phi-2", 2.78e9, 0.01e9],
  ["gemma-2-9b", 9.24e9, 0.01e9],
  ["gemma-7b", 8.54e9, 0.01e9],
])("%s has as many parameters as published", async (name, published, lastDigit) => {
  const { total, active, byPart } = await counted(name);
  expect(deviation(total, published, lastDigit)).toBeLessThan(1);
  const sum = Object.values(byPart).reduce((all: number, part: number) => all + part, 0);
  expect(sum).toBe(total);
  expect(active < total).toBe(byPart.experts > 0);
});

test("Llama-3-8B has exactly the parameters that its checkpoint has", async () => {
  expect((await counted("llama-3-8b")).total).toBe(8_030_261_248);
});

test("GPT-2 has exactly the parameters that its checkpoint has", async () => {
  expect((await counted("gpt2")).total).toBe(124_439_808);
});

test("a token of Mixtral passes 12.9 billion", async () => {
  expect(deviation((await counted("mixtral-8x7b")).active, 12.9e9, 0.1e9)).toBeLessThan(1);
});

test("a token of Qwen3-30B-A3B passes 3.3 billion, which its card has cut off after one digit", async () => {
  const { active } = await counted("qwen3-30b-a3b");
  expect(Math.floor(active / 1e8) / 10).toBe(3.3);
});

test("a token of DeepSeek-V3 passes 36.6 billion beside the embedding, as its authors count", async () => {
  const { active, byPart } = await counted("deepseek-v3");
  expect(deviation(active - byPart.embedding, 36.6e9, 0.1e9)).toBeLessThan(1);
  expect(Math.round((active - byPart.embedding) / 1e9)).toBe(37);
});
