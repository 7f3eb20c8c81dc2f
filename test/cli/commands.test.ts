import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { fileWith, shardbench } from "./shardbench.ts";

const original = "configs/moe-ep3-tp2.original.json";

describe("--repair", () => {
  test("prints the corrected plan alone, and says on stderr which rule asked for it", async () => {
    const { code, stdout, stderr } = await shardbench(["check", original, "--repair"]);
    expect(code).toBe(0);
    const plan: unknown = JSON.parse(stdout);
    expect(plan).toHaveProperty("tensor_parallel_distribution.gpu_0_gpu_1");
    expect(stderr).toContain("as tensor-degree-does-not-match-group asks");
  });

  test("writes it where -o says, and the result passes the check", async () => {
    const target = (await fileWith("other.json", "")).replace("other", "corrected");
    const { code, stdout } = await shardbench(["check", original, "--repair", "-o", target]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect((await shardbench(["check", target])).code).toBe(0);
  });

  test("overwrites nothing without --write", async () => {
    const target = await fileWith("mine.json", "precious");
    const refused = await shardbench(["check", original, "--repair", "-o", target]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--write");
    expect(await readFile(target, "utf8")).toBe("precious");
    const forced = await shardbench(["check", original, "--repair", "-o", target, "--write"]);
    expect(forced.code).toBe(0);
    expect(await readFile(target, "utf8")).toContain("gpu_0_gpu_1");
  });

  test("mends the plan itself with --write alone", async () => {
    const copy = await fileWith("plan.json", await readFile(original, "utf8"));
    expect((await shardbench(["check", copy, "--repair", "--write"])).code).toBe(0);
    expect((await shardbench(["check", copy])).code).toBe(0);
  });

  test("leaves a sound plan alone", async () => {
    const file = "configs/three-stage-pipeline.json";
    const { code, stdout, stderr } = await shardbench(["check", file, "--repair"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toContain("Nothing to repair");
  });

  test("admits where it knows no repair", async () => {
    const file = await fileWith("plan.json", "{}");
    const { code, stderr } = await shardbench(["check", file, "--repair"]);
    expect(code).toBe(1);
    expect(stderr).toContain("No repair is known");
  });
});

test("check --json gives diagnostics, and of a plan with a program the load of each GPU", async () => {
  const { code, stdout } = await shardbench(["check", original, "--json"]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    plan: "moe-ep3-tp2",
    diagnostics: expect.arrayContaining([
      expect.objectContaining({
        code: "tensor-degree-does-not-match-group",
        severity: "error",
        position: expect.objectContaining({ file: original }),
      }),
    ]),
  });
  const sound = await shardbench(["check", "configs/moe-ep3-tp2.json", "--json"]);
  expect(sound.code).toBe(0);
  expect(JSON.parse(sound.stdout)).toMatchObject({ load: [{ gpu: 0 }, { gpu: 1 }, { gpu: 2 }] });
});

test("claims are told with what they need; a claim that no run can keep ends with 3", async () => {
  const seed = await shardbench(["claims", "configs/three-stage-pipeline.json"]);
  expect(seed.code).toBe(0);
  expect(seed.stdout).toContain("workload.microBatches ≥ 38");
  const asked = await shardbench(["claims", "--definitions"]);
  expect(asked.stdout).toContain("computeUtilization");
  const file = await fileWith(
    "plan.yaml",
    "name: impossible\nhardware: { gpus: 1, peakFlops: 1TFLOPS }\nworkload: { batch: 1 }\n" +
      "model: { layers: 1, hidden: 1024, heads: 8 }\nclaims: { samplesPerSecond: 1000000 }\n",
  );
  const { code, stdout } = await shardbench(["claims", file]);
  expect(code).toBe(3);
  expect(stdout).toContain("no run of the plan can reach it (peak)");
});

test("--version is that of the package", async () => {
  const { code, stdout } = await shardbench(["--version"]);
  expect(code).toBe(0);
  expect(await readFile("package.json", "utf8")).toContain(`"version": "${stdout.trim()}"`);
});

test.each(["check", "run", "compare", "tune", "adapters", "calibrate", "smoke"])(
  "%s --help ends with 0 and shows its use",
  async (command) => {
    const { code, stdout } = await shardbench([command, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: shardbench ${command}`);
  },
);

test("help of every command has an example, and prose that fits the terminal", async () => {
  const { stdout } = await shardbench(["--help"]);
  const [, listed = ""] = stdout.split("Commands:");
  const names = [...listed.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(20);
  const helps = await Promise.all(
    names
      .filter((name) => name !== "help")
      .map(async (name) => ({ name, text: (await shardbench([name, "--help"])).stdout })),
  );
  expect(helps.filter(({ text }) => !text.includes("Example")).map(({ name }) => name)).toEqual([]);
  const tooWide = helps.flatMap(({ text }) =>
    (text.split("Options:")[0] ?? "").split("\n").filter((line) => line.length > 80),
  );
  expect(tooWide).toEqual([]);
});

test("adapters lists the embedded one at least, with its features and limits", async () => {
  const { code, stdout } = await shardbench(["adapters", "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    adapters: expect.arrayContaining([
      expect.objectContaining({
        choice: expect.objectContaining({ id: "swiftshader", software: true }),
        features: expect.arrayContaining(["timestamp-query"]),
        limits: expect.objectContaining({ maxBufferSize: expect.any(Number) }),
      }),
    ]),
  });
  const text = await shardbench(["adapters"]);
  expect(text.stdout).toMatch(/^swiftshader {2}software, embedded driver$/m);
});

test("a repair keeps the rest of the file as it was", async () => {
  const text = await readFile(original, "utf8");
  const copy = await fileWith("plan.json", text);
  await shardbench(["check", copy, "--repair", "--write"]);
  const mended = await readFile(copy, "utf8");
  expect(mended).not.toBe(text);
  const before = text.slice(0, text.indexOf("tensor_parallel_distribution"));
  expect(mended.startsWith(before)).toBe(true);
});
