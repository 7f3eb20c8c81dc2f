// A first plan: `check` accepts every one that three answers give, and a run runs it.

import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { checkPlan, hasErrors } from "../../src/check/check_plan.ts";
import {
  firstModels,
  firstModes,
  firstPlanText,
  mostFirstGpus,
} from "../../src/plan/first_plan.ts";
import { parsePlan } from "../../src/plan/load.ts";
import { fileWith, shardbench } from "./shardbench.ts";

const all = firstModes.flatMap((mode) =>
  firstModels.flatMap((model) => [1, 2, 3, 8].map((gpus) => ({ mode, model, gpus }))),
);
const largest = { mode: "inference", model: "moe", gpus: mostFirstGpus } as const;

test.each([...all, largest])("$mode of $model on $gpus GPUs has no errors", (answers) => {
  const { plan, diagnostics } = parsePlan(firstPlanText(answers, "s"), "plan.yaml");
  if (plan === undefined) throw new Error(JSON.stringify(diagnostics));
  const found = [...diagnostics, ...checkPlan(plan)];
  expect(found.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(hasErrors(found)).toBe(false);
});

describe("init", () => {
  test("asks nothing in a pipe, keeps what is there, and says what is next", async () => {
    const there = await fileWith("plan.yaml", "mine");
    expect((await shardbench(["init", "-o", there])).code).toBe(2);
    expect(await readFile(there, "utf8")).toBe("mine");
    const { code, stdout, stderr } = await shardbench(["init", "-o", there, "--write"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`shardbench check ${there}`);
    expect(await readFile(there, "utf8")).toContain("name: inference-dense-2gpus");
    expect((await shardbench(["check", there])).code).toBe(0);
  });

  test.each([["0"], ["65"], ["two"]])("refuses %s GPUs", async (gpus) => {
    const { code, stderr } = await shardbench(["init", "--gpus", gpus]);
    expect(code).toBe(64);
    expect(stderr).toContain("is needed");
  });

  test("writes a plan that runs, and whose numbers are right", async () => {
    const file = (await fileWith("none", "")).replace("none", "plan.yaml");
    const flags = ["--mode", "inference", "--model", "moe", "--gpus", "2", "-o", file];
    expect((await shardbench(["init", ...flags])).code).toBe(0);
    const { code, stdout } = await shardbench(["smoke", file]);
    expect(code).toBe(0);
    expect(stdout).toContain("1 passed, 0 failed");
  });
});
