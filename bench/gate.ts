// Whether the gate can be trusted: a build beside itself, which must not fail; beside one whose kernel of products takes
// about a fifth longer, which must, with how much longer it takes by its own timestamps; and builds that count wire bytes
// wrong or compute wrong numbers, which always must.
//
// SHARDBENCH_GATE_REPEATS sets how often a build meets itself (30); a third as often each other one. SHARDBENCH_GATE_ADAPTER
// names the adapter (lavapipe).

import { spawn } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { formatNumber } from "../src/measure/format.ts";
import { median } from "../src/measure/statistics.ts";

const repeats = Number(process.env["SHARDBENCH_GATE_REPEATS"] ?? 30);
const third = Math.ceil(repeats / 3);
const adapter = process.env["SHARDBENCH_GATE_ADAPTER"] ?? "lavapipe";
const flags = ["--adapter", adapter, "--samples", "15", "--threshold", "5%"];

/** Products take nearly all of its step. */
const plan = {
  name: "gate",
  hardware: { gpus: 2 },
  workload: { batch: 4, sequence: 64 },
  model: { layers: 2, hidden: 256, heads: 4, ffn: 1024 },
  parallel: { tensor: 2 },
};

interface Change {
  readonly files: readonly string[];
  readonly from: string;
  readonly to: string;
}

const loop = "for (var k = 0u; k < depthOf(part); k++) {";
/** Three of ten quads along k once more, times zero: what the caches hold by then costs less than the first time. */
const longer = `let depth = depthOf(part);
  for (var turn = 0u; turn < depth + depth * 3u / 10u; turn++) {
    let k = select(turn, turn - depth, turn >= depth);
    let counts = Scalar(turn < depth);`;

const slowed: readonly Change[] = [
  { files: ["shaders/matmul.wgsl", "shaders/matmul_subgroup.wgsl"], from: loop, to: longer },
  {
    files: ["shaders/matmul.wgsl"],
    from: "let w_left = weightBlock(left_start, k);",
    to: "let w_left = counts * weightBlock(left_start, k);",
  },
  {
    files: ["shaders/matmul.wgsl"],
    from: "let w_right = weightBlock(right_start, k);",
    to: "let w_right = counts * weightBlock(right_start, k);",
  },
  {
    files: ["shaders/matmul_subgroup.wgsl"],
    from: "let weights = weightsOf(weight_start, k, lane);",
    to: "let weights = counts * weightsOf(weight_start, k, lane);",
  },
];
const wrongBytes: readonly Change[] = [
  {
    files: ["dist/cli"],
    from: "own.sentBytes += times * sent;",
    to: "own.sentBytes += times * sent + 4;",
  },
];
const wrongNumbers: readonly Change[] = [
  {
    files: ["shaders/add_rms_norm.wgsl"],
    from: "SCALE * unpackQuad(a[i]) + unpackQuad(b[i])",
    to: "SCALE * unpackQuad(a[i]) + 0.99 * unpackQuad(b[i])",
  },
];

let folder = "";
let file = "";
let baseline = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shardbench-gate-bench-"));
  file = join(folder, "plan.json");
  baseline = join(folder, "baseline.json");
  await writeFile(file, JSON.stringify(plan));
  const ran = await run(resolve("."), [
    "run",
    file,
    "-o",
    baseline,
    "--adapter",
    adapter,
    "--samples",
    "5",
  ]);
  if (ran.code !== 0) throw new Error(ran.output);
}, 300_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test("a build beside itself never fails", { timeout: 7_200_000 }, async () => {
  const found = await gates(resolve("."), repeats);
  show("the same build", found);
  expect(found.filter(({ code }) => code !== 0)).toEqual([]);
});

test(
  "a kernel that takes a fifth longer is caught nine times in ten",
  { timeout: 7_200_000 },
  async () => {
    const build = await copyWith("slowed", slowed);
    console.log(`products, by their timestamps: ${await productsSlowdown(build)}`);
    const found = await gates(build, third);
    show("products take a fifth longer", found);
    const caught = found.filter(({ code, failed }) => code === 3 && failed === "time");
    expect(caught.length / found.length).toBeGreaterThanOrEqual(0.9);
  },
);

test("wrong wire bytes and wrong numbers are always caught", { timeout: 7_200_000 }, async () => {
  const bytes = await copyWith("bytes", wrongBytes);
  const numbers = await copyWith("numbers", wrongNumbers);
  for (let i = 0; i < third; i++) {
    const counted = await gate(bytes, []);
    expect(counted.code).toBe(3);
    expect(failedIn(counted.output)).toContain("wire bytes");
    const computed = await gate(numbers, []);
    expect(computed.code).toBe(4);
  }
  console.log(`wrong wire bytes and wrong numbers: caught ${third} of ${third} times each`);
});

const products = z.object({
  metrics: z.object({
    kernels: z.array(
      z.object({ kernel: z.string(), uses: z.number(), callMs: z.object({ value: z.number() }) }),
    ),
  }),
});

/** Of five runs of each build in turns: ms of all products of a step, the median ratio and its range. */
async function productsSlowdown(build: string): Promise<string> {
  const ratios: number[] = [];
  for (let i = 0; i < 5; i++) {
    const before = await productsMs(resolve("."));
    ratios.push((await productsMs(build)) / before);
  }
  const range = [Math.min(...ratios), Math.max(...ratios)].map(formatNumber).join(" … ");
  return `${formatNumber(median(ratios))} times as long (${range})`;
}

async function productsMs(build: string): Promise<number> {
  const result = join(folder, "products.json");
  const { code, output } = await run(build, ["run", file, "-o", result, ...flags.slice(0, 4)]);
  if (code !== 0) throw new Error(output);
  const { metrics } = products.parse(JSON.parse(await readFile(result, "utf8")));
  return metrics.kernels
    .filter(({ kernel }) => kernel === "matmul")
    .reduce((sum, { uses, callMs }) => sum + uses * callMs.value, 0);
}

interface Found {
  readonly code: number;
  readonly failed: string;
  /** Own step ÷ the reference's. */
  readonly ratio: number;
}

async function gates(build: string, count: number): Promise<Found[]> {
  const found: Found[] = [];
  for (let i = 0; i < count; i++) {
    const { code, output } = await gate(build, ["--reference", resolve(".")]);
    const ratio = Number(/([\d.]+) times the reference's/.exec(output)?.[1]);
    found.push({ code, failed: failedIn(output), ratio });
    console.log(`${i + 1} of ${count}: exit ${code}, ${timeIn(output)}`);
  }
  return found;
}

function gate(build: string, more: readonly string[]) {
  return run(build, ["gate", file, "--baseline", baseline, "--json", ...flags, ...more]);
}

const outcome = z.object({
  gates: z.array(z.object({ name: z.string(), state: z.string(), message: z.string() })),
});

function gatesIn(output: string): z.infer<typeof outcome>["gates"] {
  return outcome.parse(JSON.parse(output)).gates;
}

function failedIn(output: string): string {
  return gatesIn(output)
    .filter(({ state }) => state === "failed")
    .map(({ name }) => name)
    .join(", ");
}

function timeIn(output: string): string {
  const time = gatesIn(output).find(({ name }) => name === "time");
  return `${time?.state}: ${time?.message}`;
}

function show(what: string, found: readonly Found[]): void {
  const count = (code: number): number => found.filter((each) => each.code === code).length;
  const ratios = found.map(({ ratio }) => ratio);
  const range = [Math.min(...ratios), Math.max(...ratios)].map(formatNumber).join(" … ");
  console.log(
    `${what}: ${found.length} gates, ${count(3)} failed, ${count(0)} did not; ` +
      `step ÷ reference's: median ${formatNumber(median(ratios))} (${range})`,
  );
}

/** The built product with a change to its text. */
async function copyWith(name: string, changes: readonly Change[]): Promise<string> {
  const build = join(folder, name);
  for (const part of ["dist", "shaders", "package.json"]) {
    await cp(resolve(part), join(build, part), { recursive: true });
  }
  await symlink(resolve("node_modules"), join(build, "node_modules"));
  for (const { files, from, to } of changes) {
    for (const named of files) {
      const paths = named.endsWith(".wgsl") ? [named] : await scriptsIn(join(build, named), named);
      const changed = await Promise.all(
        paths.map((path) => replaceIn(join(build, path), from, to)),
      );
      if (!changed.includes(true)) throw new Error(`"${from}" is not in ${named}`);
    }
  }
  return build;
}

async function scriptsIn(path: string, named: string): Promise<string[]> {
  return (await readdir(path))
    .filter((each) => each.endsWith(".js"))
    .map((each) => join(named, each));
}

async function replaceIn(path: string, from: string, to: string): Promise<boolean> {
  const before = await readFile(path, "utf8");
  const after = before.replaceAll(from, to);
  await writeFile(path, after);
  return after !== before;
}

async function run(build: string, parameters: readonly string[]) {
  const child = spawn(process.execPath, [join(build, "dist/cli/main.js"), ...parameters], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number>((done) => child.once("exit", (code) => done(code ?? 130)));
  return { output: await text(child.stdout), code: await ended };
}
