// Where results go: looked at before a run, and never at the cost of a better one.

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { EnvironmentError } from "../../src/environment_error.ts";
import type { Outcome, RunResult } from "../../src/result/result.ts";
import { parseStored } from "../../src/result/result_file.ts";
import { openResultTarget } from "../../src/result/result_target.ts";
import { runOf } from "../support/made_up_run.ts";
import { planOf } from "../support/given.ts";

const run = runOf(await planOf("three-stage-pipeline.json"));
const interrupted: Outcome = { state: "interrupted" };
function broken(samples: number, outcome = interrupted): RunResult {
  return {
    ...run,
    samples: run.samples.slice(0, samples),
    outcome,
  };
}
const plan = { name: "three-stage-pipeline" };

async function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "shardbench-test-"));
}
async function write(output: string, result: RunResult): Promise<string> {
  return (await openResultTarget(plan, output)).write(result);
}
async function samplesIn(file: string): Promise<number> {
  return parseStored(await readFile(file, "utf8"), file).sources.samples.length;
}
async function refusalOf(output: string, file?: string): Promise<string> {
  try {
    await openResultTarget({ ...plan, ...(file === undefined ? {} : { file }) }, output);
  } catch (error) {
    if (error instanceof EnvironmentError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("before the run", () => {
  test("control: a new file in a folder is accepted, and nothing lies there yet", async () => {
    const folder = await newFolder();
    await openResultTarget(plan, join(folder, "r.json"));
    expect(await readdir(folder)).toEqual([]);
  });

  test("a folder that is not there is refused", async () => {
    const folder = join(await newFolder(), "none");
    expect(await refusalOf(join(folder, "r.json"))).toContain(`there is no folder ${folder}`);
  });

  test("a folder in the file's place is refused", async () => {
    expect(await refusalOf(await newFolder())).toContain("file-not-writable");
  });

  test("a file in the folder's place is refused", async () => {
    const file = join(await newFolder(), "f");
    await writeFile(file, "");
    expect(await refusalOf(join(file, "r.json"))).toContain("file-not-writable");
  });

  test("a name that no file system takes is refused", async () => {
    expect(await refusalOf(join(await newFolder(), "x".repeat(300)))).toContain("ENAMETOOLONG");
  });

  test.skipIf(process.platform !== "linux")("a folder of the system is refused", async () => {
    expect(await refusalOf("/proc/r.json")).toContain("file-not-writable");
  });

  test("the plan is refused, by whatever name", async () => {
    const folder = await newFolder();
    const file = join(folder, "plan.json");
    await writeFile(file, "{}");
    await symlink(file, join(folder, "link.json"));
    expect(await refusalOf(file, file)).toContain("it is the plan");
    expect(await refusalOf(join(folder, "link.json"), file)).toContain("it is the plan");
    expect(await readFile(file, "utf8")).toBe("{}");
  });
});

describe("a result", () => {
  test("replaces an earlier one, keeps its permissions and leaves nothing beside it", async () => {
    const folder = await newFolder();
    const file = join(folder, "r.json");
    await writeFile(file, "old", { mode: 0o600 });
    expect(await write(file, run)).toBe(file);
    expect(await samplesIn(file)).toBe(run.samples.length);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["r.json"]);
  });

  test("goes where a link points to, which stays a link", async () => {
    const folder = await newFolder();
    await mkdir(join(folder, "deep"));
    await writeFile(join(folder, "deep", "r.json"), "old");
    await symlink(join("deep", "r.json"), join(folder, "link.json"));
    await write(join(folder, "link.json"), run);
    expect(await samplesIn(join(folder, "deep", "r.json"))).toBe(run.samples.length);
    expect(
      (await readdir(folder, { withFileTypes: true })).map((each) => each.isSymbolicLink()),
    ).toContain(true);
  });

  test("goes with a name as long as a file system takes", async () => {
    const file = join(await newFolder(), `${"x".repeat(250)}.json`);
    expect(await write(file, run)).toBe(file);
    expect(await write(file, broken(2))).toContain(".partial.json");
  });

  test.skipIf(process.platform === "win32")("goes into a pipe that is read", async () => {
    const pipe = join(await newFolder(), "pipe");
    await ended(spawn("mkfifo", [pipe]));
    const reader = spawn("cat", [pipe], { stdio: ["ignore", "pipe", "inherit"] });
    const [written, read] = await Promise.all([write(pipe, run), text(reader.stdout)]);
    expect(written).toBe(pipe);
    expect(parseStored(read, "r.json").sources.samples).toHaveLength(run.samples.length);
    expect((await stat(pipe)).isFIFO()).toBe(true);
  });

  test.skipIf(process.platform !== "linux")("goes into a device, which stays one", async () => {
    expect(await write("/dev/null", run)).toBe("/dev/null");
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
    await expect(write("/dev/full", run)).rejects.toThrow("ENOSPC");
  });
});

async function ended(child: ReturnType<typeof spawn>): Promise<unknown> {
  return new Promise((resolve) => child.once("close", resolve));
}

describe("what a run kept that ended early", () => {
  test("goes beside a complete result", async () => {
    const file = join(await newFolder(), "r.json");
    await write(file, run);
    const partial = await write(file, broken(3));
    expect(partial).toBe(file.replace(".json", ".partial.json"));
    expect(await samplesIn(file)).toBe(run.samples.length);
    expect(await samplesIn(partial)).toBe(3);
  });

  test("goes beside one that holds more, and replaces one that does not", async () => {
    const folder = await newFolder();
    const file = join(folder, "r.json");
    expect(await write(file, broken(3))).toBe(file);
    expect(await write(file, broken(2))).toBe(join(folder, "r.partial.json"));
    expect(await write(file, broken(1))).toBe(join(folder, "r.partial-2.json"));
    expect(await write(file, broken(4))).toBe(file);
    expect(await samplesIn(file)).toBe(4);
    expect(await samplesIn(join(folder, "r.partial.json"))).toBe(2);
  });

  test("replaces nothing that is no result, but an empty file", async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "notes.txt"), "mine");
    await writeFile(join(folder, "empty.json"), "");
    expect(await write(join(folder, "notes.txt"), broken(3))).toContain("notes.partial.txt");
    expect(await write(join(folder, "empty.json"), broken(3))).toContain("empty.json");
    expect(await readFile(join(folder, "notes.txt"), "utf8")).toBe("mine");
  });

  test("is replaced by a complete result", async () => {
    const file = join(await newFolder(), "r.json");
    await write(file, broken(3));
    expect(await write(file, run)).toBe(file);
    expect(await samplesIn(file)).toBe(run.samples.length);
  });
});
