import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { fileWith, shardbench } from "../cli/shardbench.ts";

const llama = "test/import/fixtures/llama-3-8b.json";
/** With an activation that no layer here has. */
async function qwen(): Promise<string> {
  const text = await readFile("test/import/models/qwen3-8b.json", "utf8");
  return fileWith("config.json", text.replace(/"hidden_act": *"silu"/, '"hidden_act": "xielu"'));
}
const serve = "vllm serve meta-llama/Meta-Llama-3-8B --tensor-parallel-size 2";

test("the plan alone goes to stdout, all words about it to stderr", async () => {
  const { code, stdout, stderr } = await shardbench(["import", llama]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ model: { layers: 32, hidden: 4096 } });
  expect(stderr).toContain("8.03 billion parameters");
});

test("model and layout come from two sources, and the plan is checked and refused to run", async () => {
  const folder = await mkdtemp(join(tmpdir(), "shardbench-import-"));
  const file = join(folder, "plan.json");
  const given = ["import", "--model", await qwen(), "--layout", serve, "-o", file];
  expect((await shardbench(given)).code).toBe(0);
  const plan: unknown = JSON.parse(await readFile(file, "utf8"));
  expect(plan).toMatchObject({ name: "meta-llama-3-8b-tp2", parallel: { tensor: 2 } });
  const schema = String(Object(plan).$schema);
  expect(resolve(dirname(file), schema)).toBe(resolve("configs/plan.schema.json"));
  const checked = await shardbench(["check", file]);
  expect(checked.code).toBe(0);
  expect(checked.stdout).toContain("layer-not-runnable");
  expect(checked.stdout).toMatch(
    /The plan is sound: no errors, \d+ warnings?\. Not all of it runs here\./,
  );
  const ran = await shardbench(["run", file]);
  expect([ran.code, ran.stdout]).toEqual([1, ""]);
  expect(ran.stderr).toContain("layer-not-runnable");
  const again = await shardbench(given);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("exists already")]);
  expect((await shardbench([...given, "--write", "--runnable"])).code).toBe(0);
  expect((await shardbench(["check", file])).code).toBe(0);
});

test("what is no source ends with 1 and a place, what is not there with 2", async () => {
  const broken = await fileWith("config.json", '{\n  "model_type": }');
  const { code, stdout, stderr } = await shardbench(["import", broken]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(`${broken}:2:17  not-json`);
  expect((await shardbench(["import", "no-such-file.json"])).code).toBe(2);
  expect((await shardbench(["import"])).code).toBe(1);
});

test("a kind can be named where it is not recognised, and a wrong one is refused", async () => {
  const text = "--hidden-size 64 --num-attention-heads 4 --num-layers 2 --vocab-size 256";
  const named = await shardbench(["import", "--from", "megatron", "--json", "--", text]);
  expect(named.code).toBe(0);
  expect(JSON.parse(named.stdout)).toMatchObject({ plan: { model: { hidden: 64 } } });
  expect((await shardbench(["import", "--from", "pytorch", "--", text])).code).toBe(64);
});
