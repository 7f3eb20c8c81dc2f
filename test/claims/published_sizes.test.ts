// The models of the corpus have the parameters that their publishers count: a guard against slips in
// transcription, for every figure of a plan is held against its model.

import { expect, test } from "vitest";
import { countParameters } from "../../src/plan/parameters.ts";
import { readCorpus } from "./corpus.ts";

const corpus = await readCorpus();

/** Exact where the publisher gives every digit, else in billions as it was rounded. */
const exact: Readonly<Record<string, number>> = {
  "mpt-70b": 64_862_437_376,
  "mpt-30b": 29_975_214_080,
  "mpt-13b-32k": 13_011_240_960,
  "mpt-7b": 6_658_859_008,
  "mpt-3b": 2_651_837_440,
  "llama3-405b": 405_853_388_800,
  "llama3-70b": 70_553_706_496,
  "llama3-8b": 8_030_261_248,
  "torchtitan-405b": 405_853_388_800,
  "torchtitan-70b": 70_553_706_496,
  "torchtitan-8b": 8_030_261_248,
  "llama2-70b": 68_976_648_192,
  "llama2-13b": 13_015_864_320,
};

const billions: Readonly<Record<string, number>> = {
  "sc21-1.7b": 1.7,
  "sc21-145b": 145.6,
  "sc21-530b": 529.6,
  "sc21-1t": 1008,
  "megatron-175b": 174.6,
  "recompute-22b": 22,
  "recompute-175b": 175,
  "recompute-530b": 530,
  "recompute-1t": 1008,
  "megatron-h100-7b": 7.1,
  "megatron-h100-462b": 462,
  deepseek: 671,
  "bloom-176b": 176.2,
  "gpt-neox-20b": 20.6,
  "bloomberggpt-50b": 50.6,
  "mt-nlg-530b": 530,
  "palm-540b": 540.35,
  "megascale-175b": 175,
  "llama-65b": 65.2,
  "nemotron-4-340b": 340,
  "glm-130b": 130,
  "gpt3-175b": 175,
  qwen3: 30.5,
  mistral: 7.25,
};

interface Size {
  readonly parameters: number;
  /** Of the publisher's rounding. */
  readonly tolerance: number;
}

/** Half of the last digit, or a hundredth where names round further than that. */
function roundingOf(size: number): number {
  const [, decimals = ""] = String(size).split(".");
  return Math.max(0.01, 0.5 / 10 ** decimals.length / size);
}

const sizes: readonly (readonly [string, Size])[] = [
  ...Object.entries(exact).map(([key, parameters]) => [key, { parameters, tolerance: 0 }] as const),
  ...Object.entries(billions).map(
    ([key, size]) => [key, { parameters: size * 1e9, tolerance: roundingOf(size) }] as const,
  ),
];

/** Of the longest key that the plan's name has in it. */
function publishedSize(name: string): Size {
  const fitting = sizes.filter(([key]) => name.includes(key));
  const [longest] = fitting.toSorted(([a], [b]) => b.length - a.length);
  if (longest === undefined) throw new Error(`no published size of ${name}`);
  return longest[1];
}

const models = corpus.flatMap(({ name, plan: { model } }) =>
  model === undefined || name === "moe-ep3-tp2" ? [] : [{ name, model }],
);

test.each(models)("$name has as many parameters as published", ({ name, model }) => {
  const { parameters, tolerance } = publishedSize(name);
  const { total } = countParameters(model);
  expect(Math.abs(total / parameters - 1)).toBeLessThanOrEqual(tolerance);
});

test("at least 24 plans come from elsewhere, and each names its source", () => {
  const others = corpus.filter(({ document }) => document.file.startsWith("test/"));
  expect(others.length).toBeGreaterThanOrEqual(24);
  const unnamed = others.filter(
    ({ document }) =>
      !/(table|row|section|README|\.md|\d{4}|v\d)/.test(document.written?.description ?? ""),
  );
  expect(unnamed.map(({ name }) => name)).toEqual([]);
});
