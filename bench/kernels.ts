// Every form of the matmuls, f32, side by side on one adapter: speed, ratio to the kernel's own shader, and
// what it takes to compile. Results are checked before anything is timed.

import { afterAll, expect, test } from "vitest";
import { table } from "../src/report/table.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { expertsCase, type KernelCase, matmulCase } from "./kernel_cases.ts";
import { type FormFigures, measureForms } from "./measure_forms.ts";

const cases: (() => KernelCase<unknown>)[] = [
  () => matmulCase(512, 512, 512),
  () => matmulCase(1024, 1024, 1024),
  () => matmulCase(1, 4096, 4096),
  () => matmulCase(3, 4096, 4096),
  () => matmulCase(8, 4096, 4096),
  () => matmulCase(32, 4096, 4096),
  () => matmulCase(512, 1024, 4096),
  () => matmulCase(123, 457, 789),
  () => matmulCase(64, 64, 64),
  () => expertsCase(21, 16, 256, 1024),
  () => expertsCase(21, 16, 1024, 256),
  () => expertsCase(6, 5, 30, 22),
];

describeOnAdapter("kernels", () => {
  const figures = new Map<string, FormFigures[]>();

  afterAll(async () => {
    const gpu = await testGpu();
    const { choice, device, subgroupSize } = gpu.report;
    const time = choice.software ? "CPU-second" : "second";
    const lines = table(
      [
        { title: "rows×k×columns", align: "left" },
        { title: "form", align: "left" },
        { title: "GFLOP/s" },
        { title: "ratio" },
        { title: "95 % within" },
        { title: "compile ms" },
      ],
      [...figures].flatMap(([name, forms]) =>
        forms.map((form, index) => ({ cells: cellsOf(index === 0 ? name : "", form) })),
      ),
    );
    const lanes = subgroupSize === undefined ? "none" : `${subgroupSize.min}–${subgroupSize.max}`;
    console.log(
      `\n${choice.id} (${device}), subgroups ${lanes}; per ${time}; * is what a run takes\n` +
        `${lines.join("\n")}\n`,
    );
    gpu.close();
  });

  test.for(cases)("case %#", async (make) => {
    const one = make();
    const forms = await measureForms(await testGpu(), one);
    expect(forms.filter(({ chosen }) => chosen)).toHaveLength(1);
    figures.set(one.name, forms);
  });
});

const cellsOf = (
  name: string,
  { name: form, chosen, flopsPerSecond, ratio, ratioInterval, compileMs }: FormFigures,
): string[] => [
  name,
  `${form.split("_").at(-1) === "subgroup" ? "subgroup" : "registers"}${chosen ? " *" : ""}`,
  (flopsPerSecond / 1e9).toPrecision(3),
  ratio.toFixed(2),
  ratioInterval === undefined ? "" : ratioInterval.map((end) => end.toFixed(2)).join(" … "),
  compileMs.toFixed(0),
];
