// Sends between every two ranks, as `shardbench collectives --pairs` times them.

import { expect, test } from "vitest";
import { benchPairs } from "../../src/harness/bench_pairs.ts";
import { pairsReport } from "../../src/report/pairs_report.ts";
import { plain } from "../../src/report/render/color.ts";
import { terminalLines } from "../../src/report/render/terminal.ts";
import { adapterUnderTest, describeOnOneAdapter } from "../support/gpu.ts";

describeOnOneAdapter("the bench of pairs", () => {
  const adapter = adapterUnderTest();

  test("times every ordered pair, with every element right", async () => {
    const pairs = await benchPairs({
      ranks: 2,
      dtype: "f32",
      minBytes: 8,
      maxBytes: 8000,
      factor: 1000,
      adapter,
      budgetMs: 1,
      check: true,
    });
    expect(pairs.map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, 0],
    ]);
    for (const { rows, op, link } of pairs) {
      expect(op).toBe("send");
      expect(rows.map(({ outOfPlace }) => outOfPlace.wrong)).toEqual([0, 0]);
      expect(link?.latencyMs).toBeGreaterThanOrEqual(0);
    }
    const text = terminalLines(pairsReport(pairs), plain, 100).join("\n");
    expect(text).toContain("Latency, µs");
    // Ranks send nothing to themselves.
    expect(text.match(/–/g)).toHaveLength(4);
  });
});
