// 100,000 result files that something went wrong with: whether any is met by a fault of the program, and how long the
// slowest takes. SHARDBENCH_MUTATIONS sets how many.

import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { seededRandom } from "../src/measure/statistics.ts";
import { textOfResult } from "../src/report/result_text.ts";
import { planOf } from "../test/report/given.ts";
import { runOf } from "../test/support/made_up_run.ts";
import { mutatedResult } from "../test/support/mutate_result.ts";
import { readMutated } from "../test/support/read_mutated.ts";

const count = Number(process.env["SHARDBENCH_MUTATIONS"] ?? 100_000);
const names = ["three-stage-pipeline.json", "smoke/moe-ep2.yaml", "smoke/pipeline-1f1b.yaml"];
/** A file of this size takes milliseconds; what takes as long is hung. */
const hungMs = 10_000;

const residentMb = async (): Promise<number> => {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1000;
};

test(
  `${count} mutated results`,
  async () => {
    const random = seededRandom(20);
    const given = await Promise.all(
      names.map(async (name) => {
        const plan = await planOf(name);
        return { plan, text: textOfResult(runOf(plan)) };
      }),
    );
    const faults: string[] = [];
    let [read, refused, slowestMs, hung] = [0, 0, 0, 0];
    for (let each = 0; each < count; each += 1) {
      const { plan, text } = given[each % given.length] ?? { text: "" };
      if (plan === undefined) throw new Error("no plan is given");
      const mutated = mutatedResult(text, random);
      const begin = performance.now();
      const { fault, refusal } = readMutated(mutated, plan);
      const tookMs = performance.now() - begin;
      slowestMs = Math.max(slowestMs, tookMs);
      if (tookMs > hungMs) hung += 1;
      if (fault !== undefined) faults.push(fault);
      else if (refusal === undefined) read += 1;
      else refused += 1;
    }
    process.stdout.write(
      `${count} mutated results: ${refused} refused, ${read} read, ${faults.length} exceptions, ${hung} hung; ` +
        `slowest ${slowestMs.toFixed(0)} ms; at most ${(await residentMb()).toFixed(0)} MB\n`,
    );
    expect(faults.slice(0, 3)).toEqual([]);
    expect(hung).toBe(0);
  },
  4 * 3600_000,
);
