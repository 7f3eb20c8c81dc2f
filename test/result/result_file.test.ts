import { readFileSync } from "node:fs";
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EnvironmentError } from "../../src/environment_error.ts";
import { planHash, workHash } from "../../src/result/plan_hash.ts";
import { SCHEMA_VERSION } from "../../src/result/result.ts";
import { parseStored, readStored, writeResult } from "../../src/result/result_file.ts";
import { planOf } from "../support/given.ts";
import { runOf } from "../support/made_up_run.ts";

const pipeline = await planOf("three-stage-pipeline.json");

describe("the result file", () => {
  test("what is written is read back, in a folder that is created", async () => {
    const folder = await mkdtemp(join(tmpdir(), "shardbench-test-"));
    const file = join(folder, "deep", "result.json");
    const run = runOf(pipeline);
    await writeResult(file, run);
    expect((await readStored(file)).content).toEqual(JSON.parse(JSON.stringify(run)));
    expect(await readdir(join(folder, "deep"))).toEqual(["result.json"]);
  });

  test.each([1, 3])("a result of schema %i is refused with both versions", (schemaVersion) => {
    const other = JSON.stringify({ ...runOf(pipeline), schemaVersion });
    expect(() => parseStored(other, "r.json")).toThrow(
      `its schemaVersion is ${schemaVersion}, and this shardbench reads ${SCHEMA_VERSION}`,
    );
    expect(() => parseStored(other, "r.json")).toThrow(EnvironmentError);
  });

  test.each([
    ["no JSON", "{"],
    ["a plan", readFileSync("configs/three-stage-pipeline.json", "utf8")],
    ["a list", "[]"],
    ["nothing", "null"],
  ])("%s is refused", (_, text) => {
    expect(() => parseStored(text, "r.json")).toThrow(EnvironmentError);
  });

  test("a missing file is the environment's fault", async () => {
    await expect(readStored("no/such/result.json")).rejects.toThrow(EnvironmentError);
  });

  test("a file with the name of the folder is the environment's fault", async () => {
    const folder = await mkdtemp(join(tmpdir(), "shardbench-test-"));
    await writeFile(join(folder, "file"), "");
    await expect(writeResult(join(folder, "file", "r.json"), runOf(pipeline))).rejects.toThrow(
      EnvironmentError,
    );
  });
});

describe("the hash of a plan", () => {
  test("does not depend on the order of keys", () => {
    const { name, ...rest } = pipeline;
    expect(planHash({ ...rest, name })).toBe(planHash(pipeline));
  });

  test("depends on the claims, the hash of its work does not", () => {
    const other = { ...pipeline, name: "other", claims: {} };
    expect(planHash(other)).not.toBe(planHash(pipeline));
    expect(workHash(other)).toBe(workHash(pipeline));
  });

  test("of its work depends on the batch", () => {
    const other = { ...pipeline, workload: { ...pipeline.workload, batch: 512 } };
    expect(workHash(other)).not.toBe(workHash(pipeline));
  });
});
