// Weights and tokens on the command line: what is shown and written, and what is refused.

import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readTokens } from "../../src/cli/given.ts";
import { likelyTokens } from "../../src/harness/logits.ts";
import { lower } from "../../src/program/lower.ts";
import { openCheckpoint } from "../../src/weights/checkpoint.ts";
import { writeSafetensors } from "../../src/weights/write_safetensors.ts";
import { checkpointOf, givenPlan, llama, planOf } from "../support/checkpoint_layouts.ts";
import { hashedWeights } from "../support/hashed_weights.ts";
import { fileWith, shardbench } from "./shardbench.ts";

const onSwiftShader = ["--adapter", "swiftshader"];

const checkpoint = async (): Promise<string> =>
  checkpointOf(llama, hashedWeights(lower(planOf({}, {}, 1))));

const planFile = async (): Promise<string> =>
  fileWith("plan.json", JSON.stringify(givenPlan({}, { tensor: 2 }, 2)));

describe("shardbench logits", () => {
  test("shows the likeliest tokens and writes the logits of all", async () => {
    const [plan, weights] = [await planFile(), await checkpoint()];
    const output = join(await mkdtemp(join(tmpdir(), "shardbench-logits-")), "out.safetensors");
    const asked = ["logits", plan, "--weights", weights, "--tokens", "5,0,36", "--json"];
    const { code, stdout, stderr } = await shardbench([...asked, ...onSwiftShader, "-o", output]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const { tokens, vocabulary, next } = JSON.parse(stdout);
    expect([tokens, vocabulary, next.length]).toEqual([3, 37, 5]);
    const { tensors } = await openCheckpoint(join(output, ".."));
    const written = tensors.get("logits");
    expect(written).toMatchObject({ type: "F32", shape: [3, 37] });
    const bytes = (await readFile(output)).subarray(written?.offset);
    const last = Array.from({ length: 37 }, (_, id) => bytes.readFloatLE(4 * (2 * 37 + id)));
    expect(next[0]).toMatchObject({
      id: last.indexOf(Math.max(...last)),
      logit: Math.max(...last),
    });
  });

  test("lists tensors that the plan does not use", async () => {
    const [plan, weights] = [await planFile(), await checkpoint()];
    await writeSafetensors(join(weights, "more.safetensors"), [
      { name: "odd\u001b[2J", shape: [1], values: Float32Array.of(1) },
    ]);
    const asked = ["logits", plan, "--weights", weights, "--tokens", "1"];
    const { code, stdout, stderr } = await shardbench([...asked, ...onSwiftShader]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Next token\n\s*id\s+logit\s+probability\n/);
    expect(stderr).toMatch(/^1 tensor of .* that the plan does not use: "odd/);
    expect(stderr).not.toContain("\u001b[2J");
  });

  test.each<[string, string[], RegExp]>([
    ["a token beyond the vocabulary", ["--tokens", "1,37"], /token 37 is none .* 0 to 36/],
    ["words", ["--tokens", "1,two"], /file-not-readable/],
    ["no token", ["--tokens", ","], /0 tokens are given/],
    ["a folder that is not there", ["--tokens", "1", "--weights", "/nowhere"], /nowhere/],
  ])("%s: refused with a reason", async (_, flags, message) => {
    const plan = await planFile();
    const asked = ["logits", plan, "--weights", tmpdir(), ...flags];
    const { code, stderr } = await shardbench(asked);
    expect(stderr.replaceAll(/\s+/g, " ")).toMatch(message);
    expect(code).toBe(2);
  });
});

test("shardbench run takes weights and tokens, and its result says so", async () => {
  const [plan, weights] = [await planFile(), await checkpoint()];
  const asked = ["run", plan, "--weights", weights, "--tokens", "5,0,36", "--json"];
  const briefly = ["--samples", "5", "--warmup", "0", "--no-tune"];
  const { code, stdout } = await shardbench([
    ...asked,
    ...briefly,
    ...onSwiftShader,
    "-o",
    join(weights, "r.json"),
  ]);
  expect(code).toBe(0);
  const { notes, check } = JSON.parse(stdout);
  expect(notes).toEqual(
    expect.arrayContaining([`weights are those of ${weights}`, "the input is 3 given tokens"]),
  );
  expect(check.method).toBe("oracle");
});

test("token ids are read from a list and from a file", async () => {
  expect(await readTokens("3,1, 4")).toEqual([3, 1, 4]);
  expect(await readTokens(await fileWith("ids.json", "[3, 1,\n4]\n"))).toEqual([3, 1, 4]);
  await expect(readTokens(await fileWith("ids.txt", "3 -1"))).rejects.toThrow(/"-1" is no token/);
});

test("the likeliest of equal tokens is the first, and probabilities are a softmax", () => {
  const found = likelyTokens(Float64Array.of(0, Math.log(2), Math.log(2), -Infinity), 3);
  expect(found.map(({ id }) => id)).toEqual([1, 2, 0]);
  expect(found.map(({ probability }) => probability)).toEqual(
    [0.4, 0.4, 0.2].map((share) => expect.closeTo(share, 12)),
  );
});
