// How often tuning misses the best: for shapes drawn at random, what it selects against all variants that are right.
// SHARDBENCH_SHAPES of each kind (default 5), drawn from SHARDBENCH_SEED (default: the time).

import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createTimestamps } from "../src/gpu/timestamps.ts";
import { renderTable } from "../src/report/render/table.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { type ChoiceFigures, measureChoice } from "./measure_choice.ts";
import { drawTasks } from "./peers/draw.ts";
import { bindTask } from "./peers/shardbench.ts";
import { nameOf } from "./peers/tasks.ts";
import { conditionsOf, writeResults } from "./results.ts";

/** Times the best variant's: less comes and goes between runs. */
const missed = 1.05;

const {
  SHARDBENCH_SEED = String(Date.now() % 2 ** 31),
  SHARDBENCH_SHAPES = "5",
  SHARDBENCH_BENCH_OUT: folder,
} = process.env;
const tasks = drawTasks(Number(SHARDBENCH_SEED), Number(SHARDBENCH_SHAPES));

describeOnAdapter("choices", () => {
  const figures: (ChoiceFigures & { readonly task: string })[] = [];

  test.for(tasks.map((task) => [nameOf(task), task] as const))("%s", async ([name, task]) => {
    const gpu = await testGpu();
    const timestamps = await createTimestamps(gpu, 1);
    const bound = await bindTask(gpu, task);
    try {
      for (const call of bound.calls) {
        const choice = await measureChoice(gpu, timestamps, call);
        if (choice === undefined) continue;
        figures.push({ task: name, ...choice });
        expect(choice.loss).toBeGreaterThan(0);
      }
    } finally {
      bound.release();
      timestamps?.destroy();
    }
  });

  afterAll(async () => {
    const { report } = await testGpu();
    const misses = figures.filter(({ loss }) => loss > missed).length;
    const text = [
      `Selected by tuning against the best of all variants; shapes drawn from seed ${SHARDBENCH_SEED}.`,
      `More than ${Math.round(100 * (missed - 1))} % slower: ${misses} of ${figures.length}.`,
      "",
      ...renderTable(
        [{ title: "task", align: "left" }, { title: "selected takes" }],
        figures.map(({ task, selected, loss, best }) => ({
          cells: [task, `${loss.toFixed(2)}×`],
          ...(loss > missed ? { note: `${selected}; better is ${best}` } : {}),
        })),
      ),
    ].join("\n");
    console.log(`\nchoices on ${report.choice.id}\n${text}\n`);
    if (folder === undefined) return;
    const path = join(folder, `choices-${report.choice.id}`);
    const conditions = await conditionsOf(report);
    await writeResults(path, "choices", conditions, text, { seed: SHARDBENCH_SEED, figures });
  });
});
