// Can the test of separate GPUs tell? A pair that is known to be one: two ranks on one core, or on one GPU. And, of a
// software adapter, a pair that is known to be two: ranks pinned to a core each.

import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { testSeparation } from "../src/harness/separate_adapters.ts";
import { areSeparate, slowdown } from "../src/measure/separation.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { openIdleRanks } from "../test/support/idle_ranks.ts";

const attempts = 5;
const candidates = [
  { id: "one", rank: 0 },
  { id: "other", rank: 1 },
];

interface Outcome {
  readonly separate: boolean;
  /** Of the slower of the two, at best. */
  readonly slower: number | undefined;
}

async function attempt(cores: readonly number[] | undefined): Promise<Outcome> {
  const { choice } = (await testGpu()).report;
  const pool = await openIdleRanks([choice, choice], cores === undefined ? {} : { cores });
  try {
    const tested = await testSeparation(pool, candidates);
    return {
      separate: areSeparate(tested, "one", "other"),
      slower: slowdown(tested, "one", "other"),
    };
  } finally {
    await pool.close();
  }
}

async function repeat(name: string, cores: readonly number[] | undefined): Promise<Outcome[]> {
  const found: Outcome[] = [];
  for (let i = 0; i < attempts; i += 1) found.push(await attempt(cores));
  const times = found.map(({ slower }) => slower?.toFixed(2) ?? "never met").join("  ");
  const separate = found.filter((each) => each.separate).length;
  process.stdout.write(
    `${name.padEnd(34)} separate ${separate} of ${attempts}; together over alone  ${times}\n`,
  );
  return found;
}

describeOnAdapter("the test of separate GPUs", () => {
  test("calls two ranks on one core, or on one GPU, shared each time", async () => {
    const { software } = (await testGpu()).report.choice;
    const found = software
      ? await repeat("software, both on core 0", [0, 0])
      : await repeat("hardware, both on one GPU", undefined);
    expect(found.filter(({ separate }) => separate)).toEqual([]);
  });

  test.skipIf(process.platform !== "linux" || availableParallelism() < 2)(
    "calls two software ranks on a core each separate, if others leave the cores alone",
    async (context) => {
      const { software } = (await testGpu()).report.choice;
      if (!software) context.skip();
      const found = await repeat("software, a core each", [0, 1]);
      expect(found.some(({ separate }) => separate)).toBe(true);
    },
  );
});
