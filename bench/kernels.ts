// Every kernel, as a run would dispatch it, against the ceilings of one adapter: cases in order, a table at the end, and
// a file where asked for.

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTimestamps } from "../src/gpu/timestamps.ts";
import { kernels, type KernelName } from "../src/kernels/catalog.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { allCases } from "./cases.ts";
import { ceilingKernels } from "./ceilings.ts";
import { figuresTable } from "./figures_table.ts";
import { type BenchGpu, type CaseFigures, measureCase } from "./measure_case.ts";
import { conditionsOf, writeResults } from "./results.ts";

/** A folder: NAME-ADAPTER.md gets the table, .json the samples and conditions, too. */
const outVariable = "SHARDBENCH_BENCH_OUT";

const name = "kernels";

describeOnAdapter(name, () => {
  const figures: CaseFigures[] = [];
  const seen = new Set<KernelName>();
  let bench: BenchGpu;

  beforeAll(async () => {
    const gpu = await testGpu();
    bench = {
      gpu,
      timestamps: await createTimestamps(gpu, 1),
      ceilings: await ceilingKernels(gpu),
    };
  });

  afterAll(async () => {
    const { report } = bench.gpu;
    const text = figuresTable(report, figures);
    console.log(`\n${name} on ${text}\n`);
    const folder = process.env[outVariable];
    if (folder !== undefined) {
      const conditions = await conditionsOf(report);
      await writeResults(join(folder, `${name}-${report.choice.id}`), name, conditions, text, {
        cases: figures,
      });
    }
    bench.gpu.close();
  });

  test.for(allCases.map((make, index) => [index + 1, make] as const))(
    `case %i of ${allCases.length}`,
    async ([, make]) => {
      const one = make();
      seen.add(one.call.kernel);
      const measured = await measureCase(bench, one);
      figures.push(measured);
      expect(measured.variants.map(({ wrong }) => wrong)).toEqual(
        measured.variants.map(() => undefined),
      );
    },
  );

  test("no kernel of the catalogue is left out", () => {
    const all = Object.keys(kernels) as KernelName[];
    expect(all.filter((kernel) => !seen.has(kernel))).toEqual([]);
  });
});
