// A rank with a core of its own computes there and nowhere else, its driver's threads included.

import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { openIdleRanks } from "../support/idle_ranks.ts";

/** Of each thread, the cores that it may use. */
function coresOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map(
    (thread) =>
      /^Cpus_allowed_list:\s*(.*)$/m.exec(
        readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8"),
      )?.[1] ?? "",
  );
}

describeOnAdapter("a pinned rank", () => {
  test.skipIf(process.platform !== "linux" || availableParallelism() < 2)(
    "has all its threads on its core",
    async () => {
      const { choice } = (await testGpu()).report;
      const pool = await openIdleRanks([choice, choice], { pinToCores: true });
      try {
        await pool.askAll("occupy", { load: { workgroups: 1, dispatches: 1 } });
        const cores = pool.pids.map((pid) => [...new Set(coresOf(pid ?? process.pid))]);
        expect(cores).toEqual([["0"], ["1"]]);
      } finally {
        await pool.close();
      }
    },
  );
});
