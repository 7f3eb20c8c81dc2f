import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EnvironmentError } from "../../src/environment_error.ts";
import { parsePlan, readPlan } from "../../src/plan/load.ts";
import { maxNesting, maxPlanCharacters } from "../../src/plan/syntax.ts";
import { degreesPlan } from "./checked.ts";

const sound = JSON.stringify(degreesPlan, undefined, 2);
function codesOf(text: string, file: string) {
  return parsePlan(text, file).diagnostics.map(({ code }) => code);
}

test("control: a sound plan loads from JSON and, as YAML is its superset, from YAML", () => {
  expect(parsePlan(sound, "plan.json").plan).toBeDefined();
  expect(parsePlan(sound, "plan.yaml").plan).toEqual(parsePlan(sound, "plan.json").plan);
});

test.each([
  ['{"name": }', 1, 10],
  ['{\n  "name": "x",\n}', 3, 1],
  ['{"name": NaN}', 1, 10],
  ['{"name": "x"', 1, 13],
  ["name: x", 1, 2],
])("text that is not JSON is refused where it stops being JSON: %j", (text, line, column) => {
  const { diagnostics, plan } = parsePlan(text, "plan.json");
  expect(plan).toBeUndefined();
  expect(diagnostics).toMatchObject([
    { code: "not-json", severity: "error", position: { file: "plan.json", line, column } },
  ]);
});

test("broken YAML is refused with its place", () => {
  expect(parsePlan("name: x\nhardware: [1\n", "plan.yaml").diagnostics[0]).toMatchObject({
    code: "not-yaml",
    position: { line: 3 },
  });
});

test("a key given twice is refused, in both formats", () => {
  expect(codesOf("name: x\nname: y\n", "plan.yaml")).toEqual(["duplicate-key"]);
  expect(parsePlan('{"name": "x",\n "name": "y"}', "p.json").diagnostics[0]).toMatchObject({
    code: "duplicate-key",
    position: { line: 2, column: 2 },
  });
});

test.each(["", "\n# only a comment\n"])("an empty file is refused: %j", (text) => {
  expect(codesOf(text, "plan.yaml")).toEqual(["file-empty"]);
});

test("a second YAML document is refused", () => {
  expect(codesOf(`${sound}\n---\nname: x\n`, "plan.yaml")).toEqual(["several-documents"]);
});

test("a bomb of YAML aliases is refused without being expanded", () => {
  const levels = Array.from({ length: 9 }, (_, i) =>
    i === 0
      ? "a0: &a0 [x]"
      : `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
  );
  expect(codesOf(levels.join("\n"), "plan.yaml")).toEqual(["too-many-aliases"]);
});

test("a handful of aliases is welcome", () => {
  const text = `
name: x
hardware: { gpus: 2 }
workload: { batch: 2 }
stages:
  - name: a
    layers:
      - { op: mlp, hidden: 8, ffn: 8, parallel: &group { kind: tensor, gpus: [0, 1] } }
      - { op: mlp, hidden: 8, ffn: 8, parallel: *group }
`;
  expect(parsePlan(text, "plan.yaml").plan?.stages[0]?.layers[1]?.groups).toEqual([[0, 1]]);
});

function nested(depth: number) {
  return `${"[".repeat(depth)}${"]".repeat(depth)}`;
}

test.each(["plan.json", "plan.yaml"])(
  "nesting is refused one level beyond the limit, %s",
  (file) => {
    expect(codesOf(nested(maxNesting), file)).toEqual(["wrong-type"]);
    expect(codesOf(nested(maxNesting + 1), file)).toEqual(["nested-too-deep"]);
    expect(codesOf("[".repeat(100_000), file)).not.toEqual([]);
  },
);

test("nesting without brackets is counted too", () => {
  expect(codesOf(`${"- ".repeat(5_000)}x`, "plan.yaml")).toEqual(["nested-too-deep"]);
});

function commentOf(characters: number) {
  return `# ${"x".repeat(characters - 2)}`;
}

test("a text beyond the limit of size is refused", () => {
  expect(codesOf(commentOf(maxPlanCharacters), "plan.yaml")).toEqual(["file-empty"]);
  expect(codesOf(commentOf(maxPlanCharacters + 1), "plan.yaml")).toEqual(["file-too-large"]);
});

test("a file of 50 MB is refused, one that is missing or a folder is the environment's fault", async () => {
  const folder = await mkdtemp(join(tmpdir(), "plan-"));
  const large = join(folder, "large.json");
  await writeFile(large, "");
  await truncate(large, 50_000_000);
  expect((await readPlan(large)).diagnostics[0]?.code).toBe("file-too-large");
  const missing = readPlan(join(folder, "none.json"));
  await expect(missing).rejects.toBeInstanceOf(EnvironmentError);
  await expect(missing).rejects.toMatchObject({ code: "file-not-readable" });
  await expect(readPlan(folder)).rejects.toMatchObject({ code: "file-not-readable" });
  await rm(folder, { recursive: true });
});
