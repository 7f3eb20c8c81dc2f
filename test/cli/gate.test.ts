// The gate beside a reference, which is this very build: both step in turns in processes of their own.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { shardbench } from "./shardbench.ts";

const plan = "configs/smoke/dense-tp2.yaml";

test("a build is as fast as itself, whatever the machine does, in so many turns", async () => {
  const folder = await mkdtemp(join(tmpdir(), "shardbench-gate-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const baseline = join(folder, "baseline.json");
  const beside = `--adapter swiftshader --baseline ${baseline} --reference ${resolve(".")}`;
  const ran = await shardbench(
    `run ${plan} --adapter swiftshader --samples 3 -o ${baseline}`.split(" "),
  );
  expect(ran.code).toBe(0);
  const junit = join(folder, "gate.xml");
  const { code, stdout } = await shardbench(
    `gate ${plan} ${beside} --turns 16 --threshold 900% --junit ${junit}`.split(" "),
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/times the reference's, 16 turns, 95 % within/);
  expect(await readFile(junit, "utf8")).toContain('failures="0"');
});
