// The whole way on the embedded adapter, in a process of its own.

import { spawn, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { parseResult } from "../../src/harness/earlier_result.ts";
import { parsePlan } from "../../src/plan/load.ts";
import type { RunResult } from "../../src/result/result.ts";
import { seal } from "../../src/result/seal.ts";
import { fileWith, shardbench } from "./shardbench.ts";

const small = {
  name: "small",
  hardware: { gpus: 2, memoryPerGpu: "1MB" },
  workload: { batch: 4, microBatches: 2 },
  stages: [
    {
      name: "a",
      layers: [{ op: "linear", in: 16, out: 12, parallel: { kind: "column", gpus: [0, 1] } }],
    },
    {
      name: "b",
      layers: [{ op: "linear", in: 12, out: 8, parallel: { kind: "row", gpus: [0, 1] } }],
    },
  ],
  claims: { samplesPerSecond: 1, tensorGroupSize: 2 },
};

const planFile = await fileWith("plan.json", JSON.stringify(small));
const resultFile = planFile.replace("plan.json", "result.json");
const run = await shardbench(
  [
    "run",
    planFile,
    "--adapter",
    "swiftshader",
    "--no-tune",
    "--samples",
    "6",
    "--project",
    "-o",
    resultFile,
    "--seed",
    "9",
  ],
  {},
);

if (run.code !== 0) throw new Error(`the run ended with ${run.code}: ${run.stderr}`);

async function resultOfRun() {
  const { plan } = parsePlan(JSON.stringify(small), "plan.json");
  if (plan === undefined) throw new Error("the plan must load");
  return parseResult(await readFile(resultFile, "utf8"), resultFile, plan);
}

describe("run", () => {
  test("ends with 0, its report in 80 columns without color or progress", () => {
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/^numbers {2}right, largest relative error/m);
    expect(run.stdout.split("\n").length).toBeLessThanOrEqual(24);
    expect(run.stdout).toContain(`Result file: `);
    expect(run.stdout + run.stderr).not.toContain("\u001B");
    expect(run.stderr).not.toContain("measuring");
    const lines = run.stdout.split("\n").filter((line) => !line.startsWith("Result file"));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test("keeps every sample, its seed and the adapters in the result file", async () => {
    const result = await resultOfRun();
    expect(result).toMatchObject({
      outcome: { state: "complete" },
      seed: 9,
      adapters: [
        { rank: 0, id: "swiftshader", software: true, sharedWith: [1] },
        { rank: 1, id: "swiftshader", software: true, sharedWith: [0] },
      ],
    });
    expect(result.samples).toHaveLength(6);
    expect(result.check?.error).toBeLessThanOrEqual(1e-5);
  });

  test("attributes the wall time of every rank in every step, to within 1 %", async () => {
    const { samples } = await resultOfRun();
    for (const { wallMs, ranks } of samples) {
      for (const rank of ranks) {
        const parts =
          rank.computeMs +
          (rank.readbackMs + rank.moveMs + rank.reduceMs + rank.uploadMs) +
          rank.hostMs +
          rank.idleMs;
        expect(parts / wallMs).toBeGreaterThan(0.99);
        expect(parts / wallMs).toBeLessThan(1.01);
      }
    }
  });

  test("allocates what was estimated, to the byte", async () => {
    const { estimate, memory } = await resultOfRun();
    expect(memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
      estimate.ranks.map(({ memoryBytes }) => memoryBytes),
    );
  });
});

describe("report", () => {
  test("shows a result without its plan's file: all tables, Markdown, a page", async () => {
    const page = await fileWith("report.html", "");
    const [full, markdown, html] = await Promise.all([
      shardbench(["report", resultFile]),
      shardbench(["report", resultFile, "--markdown"]),
      shardbench(["report", resultFile, "--html", page, "--write"]),
    ]);
    expect(full.stdout).toContain("\nMemory per rank\n");
    expect(markdown.stdout).toContain("\n## Memory per rank\n");
    expect(html).toEqual({ code: 0, stdout: `Report: ${page}\n`, stderr: "" });
    expect(await readFile(page, "utf8")).toContain(">Timeline of one step</h2>");
  });

  test.each([
    ["perfetto", "step.pftrace", ["step.pftrace"]],
    ["hta", "traces", ["traces/rank0.json", "traces/rank1.json"]],
    ["chakra", "step", ["step.0.et", "step.1.et"]],
  ])("writes the step for %s", async (format, name, written) => {
    const target = (await fileWith("plan.json", "{}")).replace("plan.json", name);
    const { code, stdout } = await shardbench([
      "report",
      resultFile,
      "--trace",
      target,
      "--trace-format",
      format,
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Trace: .+\n$/);
    for (const file of written) {
      const bytes = await readFile(target.replace(name, file));
      expect(bytes.length).toBeGreaterThan(500);
    }
  });

  test("keeps a page that is there, unless it is told to overwrite it", async () => {
    const page = await fileWith("report.html", "mine");
    const { code, stderr } = await shardbench(["report", resultFile, "--html", page]);
    expect(code).toBe(2);
    expect(stderr).toContain("exists already");
    expect(await readFile(page, "utf8")).toBe("mine");
  });
});

describe("diff", () => {
  test("holds a result against itself: no kernel explains a difference", async () => {
    const { code, stdout } = await shardbench(["diff", resultFile, resultFile, "--json"]);
    expect(code).toBe(0);
    const { step, kernels } = JSON.parse(stdout) as {
      step: { ratio: number; change: string };
      kernels: { moreMs: number }[];
    };
    expect(step.ratio).toBe(1);
    expect(["same", "ambiguous"]).toContain(step.change);
    expect(kernels.length).toBeGreaterThan(0);
    expect(kernels.filter(({ moreMs }) => moreMs !== 0)).toEqual([]);
  });
});

test("gate holds a new run against a baseline, and tells CI in its formats", async () => {
  const { sha256: _, ...content } = JSON.parse(await readFile(resultFile, "utf8")) as RunResult & {
    readonly sha256: string;
  };
  const [first, ...others] = content.estimate.ranks;
  if (first === undefined) throw new Error("there are two ranks");
  const ranks = [{ ...first, sentBytes: first.sentBytes + 4 }, ...others];
  const changed = seal({ ...content, estimate: { ...content.estimate, ranks } });
  const baseline = await fileWith("baseline.json", JSON.stringify(changed));
  const [markdown, junit, sarif] = [
    await fileWith("summary.md", "before\n"),
    await fileWith("gate.xml", ""),
    await fileWith("gate.sarif", ""),
  ];
  const benchmark = junit.replace("gate.xml", "benchmark.json");
  const { code, stdout } = await shardbench(
    [
      `gate ${planFile} --baseline ${baseline} --adapter swiftshader --samples 5`,
      `--markdown ${markdown} --junit ${junit} --sarif ${sarif} --benchmark ${benchmark} --json`,
    ].flatMap((words) => words.split(" ")),
  );
  const { gates } = JSON.parse(stdout) as { gates: { name: string; state: string }[] };
  expect(gates.map(({ name, state }) => `${name} ${state}`)).toEqual([
    "numbers passed",
    "wire bytes failed",
    "memory passed",
    "schedule passed",
    "diagnostics passed",
    "time open",
  ]);
  expect(code).toBe(3);
  const summary = await readFile(markdown, "utf8");
  expect(summary).toMatch(/^before\n# Gate of small\n/);
  expect(summary).toContain("| wire bytes | failed | rank 0, sent: ");
  const xml = await readFile(junit, "utf8");
  expect(xml).toContain('tests="6" failures="1" skipped="1"');
  expect(xml).toMatch(/name="wire bytes"><failure message="rank 0, sent: /);
  const log = JSON.parse(await readFile(sarif, "utf8")) as {
    runs: [{ results: { ruleId: string; level: string }[] }];
  };
  expect(log.runs[0].results).toMatchObject([{ ruleId: "gate-wire-bytes", level: "error" }]);
  expect(JSON.parse(await readFile(benchmark, "utf8"))).toEqual([
    {
      name: "small: bytes sent in a step",
      unit: "B",
      value: first.sentBytes + (others[0]?.sentBytes ?? 0),
    },
    {
      name: "small: memory of the fullest rank",
      unit: "B",
      value: Math.max(...content.memory.map(({ allocatedBytes }) => allocatedBytes)),
    },
  ]);
});

test("the action in docs/ci runs the gate, and the example uses what it has", async () => {
  const [action, workflow] = await Promise.all(
    ["action", "workflow"].map(async (name): Promise<unknown> =>
      parse(await readFile(`docs/ci/${name}.yml`, "utf8")),
    ),
  );
  const { inputs, outputs, runs } = actionSchema.parse(action);
  const { jobs } = workflowSchema.parse(workflow);
  const used = jobs.gate.steps.find(({ uses }) => uses?.endsWith("docs/ci") === true)?.with ?? {};
  expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(used)));
  const taken = [...JSON.stringify(workflow).matchAll(/steps\.gate\.outputs\.(\w+)/g)];
  expect(taken.map(([, output]) => output)).toEqual(Object.keys(outputs));

  const [step] = runs.steps;
  const given: Record<string, string> = { plan: planFile, baseline: resultFile };
  const environment = Object.fromEntries(
    Object.entries(step.env).map(([variable, text]) => [
      variable,
      text
        .replaceAll(/\$\{\{ inputs\.(\w+) \}\}/g, (_, name: string) => {
          return given[name] ?? inputs[name]?.default ?? `no input ${name}`;
        })
        .replaceAll("${{ github.action_path }}", join(process.cwd(), "docs/ci")),
    ]),
  );
  const GITHUB_OUTPUT = await fileWith("output", "");
  const GITHUB_STEP_SUMMARY = await fileWith("summary.md", "");
  const ended = spawnSync("bash", ["-e", "-c", step.run], {
    env: { ...process.env, ...environment, GITHUB_OUTPUT, GITHUB_STEP_SUMMARY },
    encoding: "utf8",
  });
  expect({ status: ended.status, failure: ended.status === 0 ? "" : ended.stderr }).toEqual({
    status: 0,
    failure: "",
  });
  expect(await readFile(GITHUB_STEP_SUMMARY, "utf8")).toMatch(/^# Gate of small\n/);
  const files = new Map(
    (await readFile(GITHUB_OUTPUT, "utf8"))
      .trim()
      .split("\n")
      .map((line) => line.split("=") as [string, string]),
  );
  expect([...files.keys()]).toEqual(Object.keys(outputs));
  for (const file of files.values()) expect(await readFile(file, "utf8")).not.toBe("");
});

const actionSchema = z.object({
  inputs: z.record(z.string(), z.object({ default: z.string().optional() })),
  outputs: z.record(z.string(), z.object({ value: z.string() })),
  runs: z.object({
    steps: z.tuple([z.object({ run: z.string(), env: z.record(z.string(), z.string()) })]),
  }),
});

const workflowSchema = z.object({
  jobs: z.object({
    gate: z.object({
      steps: z.array(
        z.object({
          uses: z.string().optional(),
          with: z.record(z.string(), z.unknown()).optional(),
        }),
      ),
    }),
  }),
});

describe("compare", () => {
  const compareWith = async (changes: object, more: readonly string[] = []) => {
    const file = await fileWith("plan.json", JSON.stringify({ ...small, ...changes }));
    return shardbench(["compare", file, "--result", resultFile, ...more]);
  };

  test("ends with 0 when nothing is refuted, speed being untestable here", async () => {
    const { code, stdout } = await compareWith({});
    expect(code).toBe(0);
    expect(stdout).toMatch(/^samples per second .* untestable$/m);
    expect(stdout).toMatch(/^tensor group size .* confirmed$/m);
  });

  test("ends with 3 when a claim is refuted, whose figures are still printed", async () => {
    const { code, stdout } = await compareWith({ claims: { tensorGroupSize: 3 } });
    expect(code).toBe(3);
    expect(stdout).toMatch(/^tensor group size +3 GPUs +2 GPUs +0\.667× {2}refuted$/m);
  });

  test("gives the verdicts as JSON", async () => {
    const { stdout } = await compareWith({}, ["--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      verdicts: [
        { claim: "samplesPerSecond", judgement: "untestable", found: { provenance: "measured" } },
        { claim: "tensorGroupSize", judgement: "confirmed" },
      ],
    });
  });

  test("refuses the result of other work", async () => {
    const { code, stderr } = await compareWith({ workload: { batch: 8, microBatches: 2 } });
    expect(code).toBe(2);
    expect(stderr.replaceAll(/\s+/g, " ")).toContain("of other work");
  });

  test("refuses a result whose schema it does not know", async () => {
    const text = (await readFile(resultFile, "utf8")).replace(
      '"schemaVersion": 6',
      '"schemaVersion": 99',
    );
    const other = await fileWith("result.json", text);
    const { code, stderr } = await shardbench(["compare", planFile, "--result", other]);
    expect(code).toBe(2);
    expect(stderr).toContain("99");
  });
});

describe("a result that was edited", () => {
  const editedFile = async (edit: (content: RunResult) => RunResult, anew: boolean) => {
    const stored: RunResult & { readonly sha256: string } = JSON.parse(
      await readFile(resultFile, "utf8"),
    );
    const { sha256, ...content } = stored;
    const changed = edit(content);
    return fileWith("result.json", JSON.stringify(anew ? seal(changed) : { ...changed, sha256 }));
  };
  const faster = (result: RunResult): RunResult => {
    const { stepMs } = result.projection ?? {};
    if (result.projection === undefined || stepMs === undefined) throw new Error("none");
    return {
      ...result,
      projection: { ...result.projection, stepMs: { ...stepMs, value: stepMs.value / 9 } },
    };
  };

  test.each(["compare", "simulate", "estimate"])("is refused by %s", async (command) => {
    const file = await editedFile(faster, false);
    const { code, stderr } = await shardbench([command, planFile, "--result", file]);
    expect(code).toBe(2);
    expect(stderr.replaceAll(/\s+/g, " ")).toContain("edited since the run wrote it");
  });

  test.each(["compare", "simulate"])("is refused by %s under a new digest", async (command) => {
    const file = await editedFile(faster, true);
    const { code, stderr } = await shardbench([command, planFile, "--result", file]);
    expect(code).toBe(2);
    expect(stderr.replaceAll(/\s+/g, " ")).toContain("projection.stepMs.value is");
  });

  test("is no result of another seed", async () => {
    const other = ["--result", resultFile, "--seed", "8"];
    const { code, stderr } = await shardbench(["compare", planFile, ...other]);
    expect(code).toBe(2);
    expect(stderr.replaceAll(/\s+/g, " ")).toContain("of seed 9, not of 8");
  });
});

describe("simulate", () => {
  const linkFile = async (latencyMs: number, op = "send"): Promise<string> => {
    const link = { latencyMs, bandwidth: 1e9, error: 0 };
    return fileWith("link.json", JSON.stringify([{ op, ranks: 2, adapters: [{ id: "x" }], link }]));
  };
  const simulate = async (...more: string[]) => shardbench(["simulate", planFile, ...more]);
  const stepMsOf = ({
    code,
    stdout,
    stderr,
  }: {
    code: number | null;
    stdout: string;
    stderr: string;
  }) => {
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const { provenance, stepMs }: Projected = JSON.parse(stdout);
    expect(provenance).toBe("projected");
    return typeof stepMs === "number" ? stepMs : stepMs.value;
  };
  interface Projected {
    readonly provenance: string;
    readonly stepMs: number | { readonly value: number };
  }

  test("plays the exclusive times of a run, with other links on demand", async () => {
    const seeded = ["--result", resultFile, "--seed", "9", "--json"];
    const asMeasured = stepMsOf(await simulate(...seeded));
    const slow = stepMsOf(await simulate(...seeded, "--links", await linkFile(10_000)));
    const slower = stepMsOf(await simulate(...seeded, "--links", await linkFile(30_000)));
    expect(asMeasured).toBeGreaterThan(0);
    expect(slow).toBeGreaterThan(10_000);
    expect(slower - slow).toBeGreaterThan(19_999);
  });

  test("says whose links they are", async () => {
    const links = await linkFile(0.02);
    const { stdout } = await simulate("--result", resultFile, "--seed", "9", "--links", links);
    expect(stdout.replaceAll(/\s+/g, " ")).toContain(
      "transfers by a link of 20 µs and 1 GB/s, fitted to send over 2 ranks on x",
    );
  });

  test("takes the links beside a hardware's figures, too", async () => {
    const hardware = ["--peak-flops", "1TFLOPS", "--json"];
    const free = stepMsOf(await simulate(...hardware));
    const linked = stepMsOf(await simulate(...hardware, "--links", await linkFile(7)));
    expect(linked - free).toBeGreaterThanOrEqual(7);
  });

  test.each([
    ["--result", resultFile, "--seed", "9"],
    ["--peak-flops", "1TFLOPS"],
  ])("ends with 2 where the file holds no link between two ranks: %s", async (...from) => {
    const links = await fileWith("link.json", "[]");
    const { code, stderr } = await simulate(...from, "--links", links);
    expect(code).toBe(2);
    expect(stderr.replaceAll(/\s+/g, " ")).toContain("no link model of a send, nor of two ranks");
  });
});

test("smoke passes a good plan, counts a bad one, and ends with the bad one's code", async () => {
  const bad = await fileWith("bad.json", "{}");
  const { code, stdout } = await shardbench(["smoke", planFile, bad]);
  expect(stdout).toMatch(/^ok .*2 ranks {2}error/m);
  expect(stdout).toMatch(/^FAIL .*bad\.json/m);
  expect(stdout.trimEnd()).toMatch(/1 passed, 1 failed$/);
  expect(code).toBe(1);
});

test("Ctrl-C ends a run with 130", async () => {
  // The warning on stderr says that the run has begun.
  const warned = await fileWith(
    "plan.json",
    JSON.stringify({ ...small, claims: { gpuUtilization: 0.99 } }),
  );
  const output = await fileWith("result.json", "");
  const child = spawn(
    process.execPath,
    [
      "dist/cli/main.js",
      "run",
      warned,
      "--adapter",
      "swiftshader",
      "--no-tune",
      "--time",
      "5min",
      "-o",
      output,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  child.stderr.once("data", () => child.kill("SIGINT"));
  const code = await new Promise((resolve) => {
    child.once("exit", resolve);
  });
  expect(code).toBe(130);
});
