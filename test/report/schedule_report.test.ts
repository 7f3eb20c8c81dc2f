import { describe, expect, test } from "vitest";
import { estimatePlan } from "../../src/program/estimate.ts";
import { describeSchedule } from "../../src/program/schedule/describe.ts";
import { predictedBubble, scheduleOf } from "../../src/program/schedule/schedule.ts";
import { idleShare, timeline } from "../../src/program/schedule/timeline.ts";
import { scheduleReport } from "../../src/report/drawing/schedule_chart.ts";
import { widthOf } from "../../src/report/render/text_width.ts";
import { pipedPlan } from "../support/piped_plan.ts";

function reportOf(given: ReturnType<typeof pipedPlan>, width?: number): string[] {
  const described = describeSchedule(given, estimatePlan(given));
  if (described === undefined) throw new Error("it is a pipeline");
  return scheduleReport(described, width);
}

test("1F1B as a chart: forward and backward are told apart without color", () => {
  expect(reportOf(pipedPlan(3, 4, 1, "1f1b")).slice(0, 5)).toEqual([
    "Schedule: 1F1B; p = 3, m = 4",
    "",
    "stage0  0─1─2─        0═══3─1═══  2═══  3═══",
    "stage1    0─1─    0═══2─1═══3─2═══  3═══",
    "stage2      0─0═══1─1═══2─2═══3─3═══",
  ]);
});

test("forward passes only say that nothing is kept", () => {
  const lines = reportOf(pipedPlan(2, 3, 1, "1f1b", "inference"));
  expect(lines.slice(2, 4)).toEqual(["stage0  0─1─2─", "stage1    0─1─2─"]);
  expect(lines.join(" ")).toContain("one micro-batch per stage");
  expect(lines.join(" ")).not.toContain("synthetic");
});

test("the bubble is printed with its formulas", () => {
  const text = reportOf(pipedPlan(4, 8, 1, "gpipe"))
    .join(" ")
    .replaceAll(/\s+/g, " ");
  expect(text).toContain("37.5 % of the work (p − 1)/m = 27.3 % of all time (p − 1)/(m + p − 1)");
});

test.each([30, 47, 80])("no line is longer than %i columns, and the chart folds", (width) => {
  const lines = reportOf(pipedPlan(4, 24, 2, "1f1b"), width);
  expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(width);
  expect(lines.filter((line) => line.startsWith("pp r")).length).toBeGreaterThan(8);
});

describe("pipeline ranks that all take as long idle as long as theory says", () => {
  const cases = (["gpipe", "1f1b"] as const).flatMap((name) =>
    [1, 2, 3, 4].flatMap((p) =>
      [1, 2, 3].flatMap((v) => [p, 2 * p, 4 * p].map((m) => [name, p, v, m] as const)),
    ),
  );
  test.each(cases)("%s, p = %i, v = %i, m = %i", (name, p, v, m) => {
    const schedule = scheduleOf(pipedPlan(p, m, v, name));
    if (schedule === undefined) throw new Error("it is a pipeline");
    const rows = timeline(schedule, (_, { phase }) => (phase === "forward" ? 1 : 2));
    expect(idleShare(rows)).toBeCloseTo(predictedBubble(schedule).ofTotal, 12);
  });
});
