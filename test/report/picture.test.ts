import { describe, expect, test } from "vitest";
import { parsePlan } from "../../src/plan/load.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { asciiText, isUnicodeTerminal } from "../../src/report/render/ascii.ts";
import { describePlan } from "../../src/program/describe_plan.ts";
import { busLines } from "../../src/report/drawing/picture_bus.ts";
import { describeReport } from "../../src/report/describe_report.ts";
import { planPicture } from "../../src/report/drawing/plan_picture.ts";
import { widthOf } from "../../src/report/render/text_width.ts";
import { planOf } from "../support/given.ts";
import { shown } from "../support/shown.ts";

function written(parallel: string, gpus: number, layers = 4): Plan {
  const { plan } = parsePlan(
    `
name: a plan of degrees
hardware: { gpus: ${gpus}, memoryPerGpu: 1GiB }
workload: { batch: 64, sequence: 8 }
model: { layers: ${layers}, hidden: 64, heads: 8, ffn: 128, vocabulary: 128 }
parallel: ${parallel}
`,
    "plan.yaml",
  );
  if (plan === undefined) throw new Error("it must load");
  return plan;
}

test("the three-stage pipeline, as a reader sees it", async () => {
  const plan = await planOf("three-stage-pipeline.json");
  expect(`\n${planPicture(describePlan(plan)).join("\n")}\n`).toBe(`
                         GPU 0               GPU 1               GPU 2
                     light 40.0 %        heavy 50.0 %        medium 10.0 %
embedding
                  ┌─────────────────┐ ┌─────────────────┐
 linear           │   columns 1/2   │ │   columns 2/2   │
 4096 → 1024      └────────┬────────┘ └────────┬────────┘
 all-gather                ╰───────────────────┼───────────────────╮
 embed_to_expert                               ▼                   ▼
expert
                                      ┌─────────────────┐ ┌─────────────────┐
 linear                               │    rows 1/2     │ │    rows 2/2     │
 1024 → 1024                          └────────┬────────┘ └────────┬────────┘
 all-reduce                                    ╰───────────────────┤
 expert_to_agg                                                     ▼
aggregation
                                                          ┌─────────────────┐
 aggregate                                                │      whole      │
 mean of batch                                            └─────────────────┘
`);
});

test("experts: out to their GPUs and back, and a block told once", async () => {
  const text = planPicture(describePlan(await planOf("moe-ep3-tp2.json"))).join("\n");
  expect(text).toMatch(/expert-dispatch +├─+┼─+╮/);
  expect(text).toMatch(/expert-combine +├─+┼─+╯/);
  expect(text).toMatch(/^┌ 2 times$[^]*^└ 2 times$/m);
  expect(text.match(/ attention /g)).toHaveLength(1);
});

describe.each([
  ["one GPU", written("{}", 1)],
  ["four GPUs", written("{ tensor: 2, data: 2 }", 4)],
  ["four kinds of GPUs", written("{ tensor: 2, pipeline: 4, data: 4 }", 32)],
  ["eight stages", written("{ tensor: 2, pipeline: 8, data: 2 }", 32, 16)],
])("%s", (_name, plan) => {
  test("fits 80 columns, and no line ends in spaces", () => {
    const lines = shown(describeReport(describePlan(plan)));
    expect(lines.filter((line) => widthOf(line) > 80 || line.endsWith(" "))).toEqual([]);
  });

  test("in ASCII it is as wide and has nothing else", () => {
    const lines = shown(describeReport(describePlan(plan)));
    const ascii = lines.map(asciiText);
    expect(ascii.map((line) => line.length)).toEqual(lines.map(widthOf));
    expect(ascii.join("")).toMatch(/^[\x20-\x7e]*$/);
  });
});

test("the layers of a GPU in several stages are counted with all their stages", async () => {
  const plan = await planOf("smoke/pipeline-unequal.yaml");
  const lines = shown(describeReport(describePlan(plan)));
  expect(lines.find((line) => /^ +2 +\d.* middle/.test(line))).toMatch(/ 3 in middle, output$/);
});

test("data replicas each have their own arrows", () => {
  const text = planPicture(describePlan(written("{ tensor: 2, data: 2 }", 4))).join("\n");
  expect(text).toMatch(/all-reduce +├─+┤ +├─+┤\n in 2 groups +▼ +▼ +▼ +▼/);
});

test("GPUs that do the same are one column", () => {
  const lines = planPicture(describePlan(written("{ tensor: 2, pipeline: 4, data: 4 }", 32)));
  expect(lines[0]).toMatch(/GPUs 0–7 +GPUs 8–15 +GPUs 16–23 +GPUs 24–31/);
});

test("more stages than fit beside each other stand below each other, alike ones as one", () => {
  const text = planPicture(
    describePlan(written("{ tensor: 2, pipeline: 8, data: 2 }", 32, 16)),
  ).join("\n");
  expect(text).toContain("blocks_1 … blocks_6: 6 alike");
  expect(text).toContain("▼");
});

describe("a communication's lines", () => {
  const at = (column: number): number => 4 * column;

  test.each([
    ["sideways to one", [0], [1], "╰───╮", "    ▼"],
    ["back to the left", [1], [0], "╭───╯", "▼"],
    ["among all", [0, 1], [0, 1], "├───┤", "▼   ▼"],
    ["straight down", [1], [1], "    │", "    ▼"],
    ["past one that has no part", [0], [2], "╰───────╮", "        ▼"],
    ["from the sides to the middle", [0, 2], [1], "╰───┬───╯", "    ▼"],
    ["from the middle to the sides", [1], [0, 2], "╭───┴───╮", "▼       ▼"],
  ])("%s", (_name, from, to, bus, arrows) => {
    expect(busLines([{ from, to }], at, 3)).toEqual({ bus, arrows });
  });

  test("two groups that do not touch share them", () => {
    const groups = [
      { from: [0, 1], to: [0, 1] },
      { from: [2, 3], to: [2, 3] },
    ];
    expect(busLines(groups, at, 4)).toEqual({ bus: "├───┤   ├───┤", arrows: "▼   ▼   ▼   ▼" });
  });
});

test.each([
  [{ LANG: "C.UTF-8" }, "linux", true],
  [{ LANG: "en_US.utf8" }, "linux", true],
  [{ LANG: "C" }, "linux", false],
  [{}, "linux", false],
  [{ LC_ALL: "C", LANG: "en_US.UTF-8" }, "linux", false],
  [{ LC_ALL: "", LC_CTYPE: "UTF-8" }, "darwin", true],
  [{}, "win32", true],
])("box characters with %j on %s: %s", (env, platform, expected) => {
  expect(isUnicodeTerminal(env, platform)).toBe(expected);
});
