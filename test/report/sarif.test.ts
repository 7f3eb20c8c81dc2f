import { expect, test } from "vitest";
import { checkPlan } from "../../src/check/check_plan.ts";
import type { Diagnostic } from "../../src/plan/diagnostic.ts";
import { readPlan } from "../../src/plan/load.ts";
import { sarifLog } from "../../src/report/render/sarif.ts";

const file = "configs/moe-ep3-tp2.original.json";

function diagnostic(more: Partial<Diagnostic> = {}): Diagnostic {
  return {
    code: "some-rule",
    severity: "error",
    path: [],
    message: "found 1",
    ...more,
  };
}

function only(log: ReturnType<typeof sarifLog>) {
  const [run] = log.runs;
  if (run === undefined) throw new Error("a run is required");
  return run;
}

test("a refused plan: every finding with what SARIF 2.1.0 requires of it", async () => {
  const { plan, document } = await readPlan(file);
  if (plan === undefined) throw new Error("it must load");
  const diagnostics = checkPlan(plan, document).filter(({ severity }) => severity !== "info");
  expect(diagnostics.length).toBeGreaterThan(2);
  const log = sarifLog(diagnostics, file);
  expect(log.version).toBe("2.1.0");
  expect(log.$schema).toMatch(/^https:\/\/.*sarif-2\.1\.0\.json$/);
  const { tool, results } = only(log);
  expect(tool.driver.name).toBe("shardbench");
  const ids = tool.driver.rules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(results).toHaveLength(diagnostics.length);
  for (const [i, { ruleId, ruleIndex, level, message, locations }] of results.entries()) {
    expect(ids[ruleIndex]).toBe(ruleId);
    expect(["error", "warning"]).toContain(level);
    expect(message.text).toContain(diagnostics[i]?.message);
    expect(locations).toHaveLength(1);
    const { artifactLocation, region } = locations[0]?.physicalLocation ?? {};
    expect(artifactLocation?.uri).toBe(file);
    expect(region?.startLine).toBe(diagnostics[i]?.position?.line);
    expect(region?.startColumn).toBe(diagnostics[i]?.position?.column);
  }
});

test.each(["error", "warning"] as const)("an %s has its level", (severity) => {
  const { results, tool } = only(sarifLog([diagnostic({ severity })], "plan.yaml"));
  expect(results[0]?.level).toBe(severity);
  expect(tool.driver.rules[0]?.defaultConfiguration.level).toBe(severity);
});

test("what holds is no finding", () => {
  expect(only(sarifLog([diagnostic({ severity: "info" })], "plan.yaml")).results).toEqual([]);
});

test("without findings there is a run with no results", () => {
  expect(only(sarifLog([], "plan.yaml")).results).toEqual([]);
});

test("a finding without a place stands at the start of the file, its hint in the message", () => {
  const { results } = only(sarifLog([diagnostic({ hint: "mend it" })], "./a b/plan.yaml"));
  expect(results[0]?.message.text).toBe("found 1; mend it");
  expect(results[0]?.locations[0]?.physicalLocation).toEqual({
    artifactLocation: { uri: "a%20b/plan.yaml" },
    region: { startLine: 1, startColumn: 1 },
  });
});

test.each([
  ["/tmp/plan.yaml", "file:///tmp/plan.yaml"],
  ["C:\\plans\\plan.yaml", "file:///C:/plans/plan.yaml"],
  ["configs/plan#1.json", "configs/plan%231.json"],
])("the address of %s is %s", (path, uri) => {
  const { results } = only(sarifLog([diagnostic()], path));
  expect(results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(uri);
});
