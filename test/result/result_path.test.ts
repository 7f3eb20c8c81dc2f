// Names of result files: for any plan, and apart for any two.

import { basename, dirname } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { partialPath, resultPath } from "../../src/result/result_path.ts";

test("a plain name stays as it is", () => {
  expect(resultPath("three-stage-pipeline")).toBe("results/three-stage-pipeline.json");
  expect(resultPath("Größe_2.5")).toBe("results/Größe_2.5.json");
});

test("the name of a plan cannot lead out of the folder of results", () => {
  expect(resultPath("../../etc/x y")).toMatch(/^results\/--\.\.-etc-x-y-[0-9a-f]{12}\.json$/);
  expect(resultPath("..")).toMatch(/^results\/--[0-9a-f]{12}\.json$/);
});

test.each([
  ["a b", "a/b"],
  ["a b", "a-b"],
  ["a\nb", "a\tb"],
  [".a", "-a"],
  ["", "-"],
  ["é", "e\u0301"],
  ["x".repeat(300), `${"x".repeat(299)}y`],
])("%j and %j have files of their own", (one, other) => {
  expect(resultPath(one)).not.toBe(resultPath(other));
});

test("what a broken run of one plan kept is not taken for the result of another", () => {
  const broken = partialPath(resultPath("a"), 1);
  expect(broken).toBe("results/a.partial.json");
  expect(partialPath(resultPath("a"), 2)).toBe("results/a.partial-2.json");
  expect(resultPath("a.partial")).not.toBe(broken);
  expect(resultPath("a.partial-2")).not.toBe(partialPath(resultPath("a"), 2));
});

test.each(["x", "ü", "漢", "😀", "/"])("names of 2,000 times %s fit a file system", (character) => {
  const file = resultPath(character.repeat(2000));
  for (const each of [file, partialPath(file, 1), partialPath(file, 999)]) {
    expect(Buffer.byteLength(basename(each))).toBeLessThanOrEqual(255);
    expect(dirname(each)).toBe("results");
  }
});

test("any name gives one file in the folder, whose name fits", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (name) => {
      const file = resultPath(name);
      expect(dirname(file)).toBe("results");
      expect(Buffer.byteLength(basename(file))).toBeLessThanOrEqual(255);
      expect(basename(file)).toMatch(/^[^/\0]+\.json$/);
    }),
  );
});
