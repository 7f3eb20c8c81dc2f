// How a page says that a run is repeated.

import { expect, test } from "vitest";
import { readPlan } from "../../src/plan/load.ts";
import { repeatSection } from "../../src/report/sections/repeat_command.ts";
import type { RunResult } from "../../src/result/result.ts";
import { runOf } from "../support/made_up_run.ts";

const { plan, document } = await readPlan("configs/smoke/moe-ep2.yaml");
const { written } = document;
if (plan === undefined || written === undefined) throw new Error("the plan must load");
const run = runOf(plan);

function textOf(result: RunResult): string {
  return JSON.stringify(repeatSection(result));
}

test("with the plan that ran, be it a scaled one", () => {
  const [first, ...more] = [{ ...run, written }, scaled()].map(textOf);
  expect(first).toContain("moe-ep2");
  expect(more).toEqual([first]);
  expect(textOf(run)).toContain("does not hold its plan");
});

function scaled(): RunResult {
  const record = { full: written, ran: written, hash: "", workHash: "", reductions: [] };
  return { ...run, scaled: record as unknown as NonNullable<RunResult["scaled"]> };
}

test("with what was given beside the plan", () => {
  const notes = ["weights are those of folder"];
  expect(textOf({ ...run, written, notes })).toContain("weights are those of folder");
});
