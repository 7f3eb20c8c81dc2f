// Where the time of a run goes: both seeds, with nothing kept and again with what the first run kept, phase by phase.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RunResult } from "../src/result/result.ts";
import { adapterUnderTest, describeOnAdapter } from "../test/support/gpu.ts";

const plans = ["configs/three-stage-pipeline.json", "configs/moe-ep3-tp2.json"];

/** Seconds by phase, and of the whole process. */
interface Timed {
  readonly phases: ReadonlyMap<string, number>;
  readonly all: number;
}

/** @param cache of drivers, too: a cold run compiles its shaders */
function timedRun(plan: string, cache: string): Timed {
  const output = join(cache, "result.json");
  const { MESA_SHADER_CACHE_DISABLE: _, ...env } = process.env;
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["dist/cli/main.js", "run", plan, "--adapter", adapterUnderTest(), "-o", output],
    { encoding: "utf8", env: { ...env, XDG_CACHE_HOME: cache, MESA_SHADER_CACHE_DIR: cache } },
  );
  const all = (performance.now() - begun) / 1000;
  if (status !== 0) throw new Error(`${plan} ended with ${status}: ${stdout}\n${stderr}`);
  const { phases = [] } = JSON.parse(readFileSync(output, "utf8")) as RunResult;
  return { phases: new Map(phases.map(({ phase, ms }) => [phase, ms / 1000])), all };
}

describeOnAdapter("phases", () => {
  test("of cold and warm runs", () => {
    const rows = plans.flatMap((plan) => {
      const cache = mkdtempSync(join(tmpdir(), "shardbench-phases-"));
      try {
        const taken = { cold: timedRun(plan, cache), warm: timedRun(plan, cache) };
        return Object.entries(taken).map(([name, run]) => ({ plan, name, run }));
      } finally {
        rmSync(cache, { recursive: true });
      }
    });
    console.log(`${adapterUnderTest()}, seconds`);
    console.table(
      rows.map(({ plan, name, run }) => ({
        plan: plan.replaceAll(/^.*\/|\.json$/g, ""),
        run: name,
        ...Object.fromEntries([...run.phases].map(([phase, s]) => [phase, s.toFixed(1)])),
        all: run.all.toFixed(1),
      })),
    );
    // What no phase has: loading the plan, judging it, printing.
    for (const { run } of rows) {
      const inPhases = [...run.phases.values()].reduce((sum, seconds) => sum + seconds, 0);
      expect(inPhases).toBeGreaterThan(0.8 * run.all);
      expect(inPhases).toBeLessThan(run.all);
    }
  });
});
