// Whoever adds, a sum of zeros is negative where all of them are: on hosts as in kernels.

import { expect, test } from "vitest";
import type { StorageType } from "../../src/kernels/storage.ts";
import { openRanks } from "../../src/runtime/coordinator.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { addCase, type Case, sentBy } from "./collective_cases.ts";
import { drafts, programOf, shown } from "./small_programs.ts";

const members = [1, 0, 2];

/** With what adds them where the adapter is software. */
const sums: readonly (readonly [string, StorageType, number, Case["algorithm"]])[] = [
  ["hosts, all of it", "f32", 256, "direct"],
  ["hosts, all of it", "f16", 256, "direct"],
  ["hosts, a slice each", "f32", 1028, "two-shot"],
  ["kernels, all of it", "f32", 1028, "direct"],
  ["kernels, within words", "f16", 3001, "direct"],
  ["kernels, a slice each", "f16", 1028, "two-shot"],
  ["kernels, around", "f32", 1028, "ring"],
  ["kernels, up a tree", "f32", 1028, "tree"],
];

describeOnAdapter("sums of zeros", () => {
  test("have the same sign whoever adds them", async () => {
    const { choice } = (await testGpu()).report;
    const all = drafts(members.length);
    const cases = sums.map(([who, dtype, count, algorithm]) => ({
      dtype,
      one: {
        layer: `${who}, ${dtype}`,
        op: "all-reduce" as const,
        from: members,
        to: members,
        count: () => count,
        zeros: true,
        ...(algorithm === undefined ? {} : { algorithm }),
      },
    }));
    for (const [channel, { one, dtype }] of cases.entries()) {
      for (const draft of all) addCase(draft, one, channel, dtype, "workspace");
    }
    const pool = await openRanks(
      programOf(all, "f32"),
      all.map(() => choice),
    );
    try {
      const observations = await pool.observe();
      for (const { one, dtype } of cases) {
        const sent = sentBy(one, dtype);
        const right = sent[0]?.map((_, e) => (sent.every((own) => Object.is(own[e], -0)) ? -0 : 0));
        // Else it would prove nothing.
        const signs = new Set(right?.map((zero) => Object.is(zero, -0)));
        expect(signs.size, `signs of ${one.layer}`).toBe(2);
        for (const rank of members) {
          const actual = shown(observations, rank, one.layer, dtype).slice(0, right?.length);
          // Tells 0 from -0.
          expect(actual, `${one.layer} on rank ${rank}`).toEqual(right);
        }
      }
    } finally {
      await pool.close();
    }
  });
});
