import { describe, expect, test } from "vitest";
import { fileWith, shardbench } from "./shardbench.ts";

const sound = {
  name: "control",
  hardware: { gpus: 3 },
  workload: { batch: 4 },
  stages: [
    { name: "a", layers: [linear({ kind: "column", gpus: [0, 1] })] },
    { name: "b", layers: [linear({ kind: "row", gpus: [1, 2] })] },
  ],
  communications: [{ name: "ab", op: "all-gather", from: [0, 1], to: [1, 2] }],
};

function linear(parallel: object): object {
  return { op: "linear", in: 8, out: 8, parallel };
}

const degrees = {
  name: "degrees",
  hardware: { gpus: 3 },
  workload: { batch: 4 },
  model: { layers: 1, hidden: 32, heads: 4, ffn: 64 },
  parallel: { tensor: 2 },
};

async function check(plan: unknown, name = "plan.json") {
  return shardbench([
    "check",
    await fileWith(name, typeof plan === "string" ? plan : JSON.stringify(plan)),
  ]);
}

test("control: a sound plan passes with 0", async () => {
  const { code, stdout, stderr } = await check(sound);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("The plan is sound: no errors");
});

describe("a bad plan ends with 1, its place and its code", () => {
  test.each([
    ["not JSON", '{ "name": ', "syntax"],
    ["a wrong type", { ...sound, hardware: { gpus: "three" } }, "wrong-type"],
    ["an unknown key", { ...sound, stagse: [] }, "unknown-key"],
    ["a negative batch", { ...sound, workload: { batch: -4 } }, "out-of-range"],
    [
      "GPU 7 of 3",
      { ...sound, communications: [{ name: "ab", op: "all-gather", from: [0, 7], to: [1, 2] }] },
      "7",
    ],
    [
      "tensor parallelism of 2 over three GPUs",
      {
        ...degrees,
        tensor_parallel_distribution: {
          gpu_0: ["mlp_fc1_0"],
          gpu_1: ["mlp_fc1_1"],
          gpu_2: ["mlp_fc2_0"],
        },
      },
      "tensor-degree-does-not-match-group",
    ],
    [
      "heads that do not divide",
      { ...degrees, model: { layers: 1, hidden: 30, heads: 3, ffn: 64 } },
      "heads",
    ],
  ])("%s", async (_, plan, expected) => {
    const { code, stdout } = await check(plan);
    expect(code).toBe(1);
    expect(stdout).toMatch(/plan\.json:\d+:\d+/);
    expect(stdout).toContain(expected);
    expect(stdout).toContain("The plan is refused");
  });

  test("NaN, which only YAML can say", async () => {
    const { code, stdout } = await check(
      "name: x\nhardware: { gpus: 1 }\nworkload: { batch: .nan }\n",
      "plan.yaml",
    );
    expect(code).toBe(1);
    expect(stdout).toContain("not-finite");
    expect(stdout).toMatch(/plan\.yaml:3:\d+/);
  });

  test("an unknown key comes with a suggestion", async () => {
    expect((await check({ ...sound, stagse: [] })).stdout).toContain('did you mean "stages"?');
  });

  test("run refuses it as well, on stderr, and says so in JSON where JSON was asked for", async () => {
    const file = await fileWith("plan.json", JSON.stringify({ ...sound, workload: { batch: -1 } }));
    const { code, stdout, stderr } = await shardbench(["run", file, "--json"]);
    expect(code).toBe(1);
    expect(stderr).toContain("out-of-range");
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "bad-plan", diagnostics: [{ code: "out-of-range" }] },
    });
  });

  test("run points to the repair where there is one", async () => {
    const { code, stderr } = await shardbench(["run", "configs/moe-ep3-tp2.original.json"]);
    expect(code).toBe(1);
    expect(stderr).toContain("shardbench check configs/moe-ep3-tp2.original.json --repair");
  });
});

describe("a bad environment ends with 2 and a way out", () => {
  test.each(["check", "run", "compare"])("%s of a file that is not there", async (command) => {
    const { code, stderr } = await shardbench([command, "no-such-plan.yaml"]);
    expect(code).toBe(2);
    expect(stderr).toContain("no-such-plan.yaml");
    expect(stderr).toContain("→ check the path");
  });

  test("an adapter that nobody has", async () => {
    const file = await fileWith("plan.json", JSON.stringify(sound));
    const { code, stderr } = await shardbench(["run", file, "--adapter", "voodoo2"]);
    expect(code).toBe(2);
    expect(stderr).toContain("voodoo2");
    expect(stderr).toContain("→");
  });

  test("a result that is not there, or is none", async () => {
    const file = await fileWith("plan.json", JSON.stringify(sound));
    const missing = await shardbench(["compare", file, "--result", "no-such-result.json"]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("no-such-result.json");
    expect((await shardbench(["compare", file, "--result", file])).code).toBe(2);
  });
});

describe("a wrong command line ends with 64", () => {
  test.each([
    ["an unknown command", ["rnu"], "Did you mean run?"],
    ["an unknown option", ["check", "x", "--jsn"], "Did you mean --json?"],
    ["a time that is none", ["run", "x", "--time", "soon"], "500ms"],
    ["no samples at all", ["run", "x", "--samples", "0"], "at least 1"],
    ["half a warm-up", ["run", "x", "--warmup", "0.5"], "at least 0"],
    ["an unknown check", ["run", "x", "--check", "hope"], "oracle"],
    ["no file", ["run"], "missing required argument"],
  ])("%s", async (_, parameters, expected) => {
    const { code, stderr, stdout } = await shardbench(parameters);
    expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
    expect(stderr).toContain(expected);
  });
});

describe("color", () => {
  test("there is none in a pipe, and no line is over 80 columns", async () => {
    const { stdout } = await shardbench(["check", "configs/three-stage-pipeline.json"]);
    expect(stdout).not.toContain("\u001B");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("FORCE_COLOR brings it, NO_COLOR takes it again", async () => {
    const parameters = ["check", "configs/three-stage-pipeline.json"];
    expect((await shardbench(parameters, { FORCE_COLOR: "1" })).stdout).toContain("\u001B[");
    const both = { FORCE_COLOR: "1", NO_COLOR: "1" };
    expect((await shardbench(parameters, both)).stdout).not.toContain("\u001B");
  });
});

test("emulated links are refused where ranks are timed without them", async () => {
  const file = await fileWith("plan.json", JSON.stringify(sound));
  const { code, stderr } = await shardbench(["run", file, "--link-latency", "5us", "--project"]);
  expect(code).toBe(64);
  expect(stderr).toContain("--project");
});
