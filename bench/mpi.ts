// Ranks of an MPI job beside ranks that share memory: all-reduce from GPU to GPU beside the library's own MPI_Allreduce on
// host buffers, and steps of plans beside the same plans without a launcher; on one host, and on two network namespaces
// where they can be made. Rounds of all, in turns. SHARDBENCH_MPI_ADAPTER names the adapter (lavapipe),
// SHARDBENCH_MPI_ROUNDS sets how often (3).

import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { formatNumber } from "../src/measure/format.ts";
import { median } from "../src/measure/statistics.ts";
import { renderTable } from "../src/report/render/table.ts";
import { type Launcher, launchers } from "../test/support/mpi_launchers.ts";

const adapter = process.env["SHARDBENCH_MPI_ADAPTER"] ?? "lavapipe";
const rounds = Number(process.env["SHARDBENCH_MPI_ROUNDS"] ?? 3);
const sizes = [4096, 65_536, 1_048_576, 16_777_216, 67_108_864];
const plans = ["configs/smoke/dense-tp2.yaml", "configs/smoke/moe-ep2.yaml"];
const seeds = ["configs/three-stage-pipeline.json", "configs/moe-ep3-tp2.json"];
const main = resolve("dist/cli/main.js");
const hosts = resolve("test/collectives/transport/two_hosts.sh");
const prefix = "sbbench";

const areHosts = spawnSync(hosts, ["up", prefix], { stdio: "ignore" }).status === 0;
const places = areHosts ? (["one host", "two hosts"] as const) : (["one host"] as const);
type Place = (typeof places)[number];

let folder = "";
/** In the place of ssh. */
let agent = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shardbench-mpi-bench-"));
  agent = join(folder, "agent");
  const script = `#!/bin/sh\nPREFIX=${prefix} exec ${hosts} agent "$@"\n`;
  await writeFile(agent, script, { mode: 0o755 });
});

async function output(command: string, parameters: readonly string[]): Promise<string> {
  const child = spawn(command, parameters, {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((done) => child.once("exit", done));
  const [out, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${errors}${out}`);
  return out;
}

function inJob(
  { file, flags, apart }: Launcher,
  place: Place,
  ranks: number,
  program: readonly string[],
): Promise<string> {
  const job = [...flags, ...(place === "one host" ? [] : apart(agent, ranks))];
  const words = [...job, "-n", String(ranks), process.execPath, ...program];
  return place === "one host"
    ? output(file, words)
    : output(hosts, ["on", prefix, "a", file, ...words]);
}

const bench = z.array(
  z.object({
    rows: z.array(z.object({ bytes: z.number(), outOfPlace: z.object({ ms: z.number() }) })),
  }),
);
const timed = z.object({ metrics: z.object({ stepMs: z.object({ value: z.number() }) }) });

/** ms by size. */
async function ownAllReduce(launcher: Launcher, place: Place): Promise<number[]> {
  const flags = `collectives all-reduce -b ${sizes[0]} -e ${sizes.at(-1)} -f 4 --adapter ${adapter} --json`;
  const out = await inJob(launcher, place, 2, [main, ...flags.split(" ")]);
  const [found] = bench.parse(JSON.parse(out.slice(out.indexOf("["))));
  return sizes.map(
    (size) => found?.rows.find(({ bytes }) => bytes === size)?.outOfPlace.ms ?? Number.NaN,
  );
}

async function libraryAllReduce(launcher: Launcher, place: Place): Promise<number[]> {
  const out = await inJob(launcher, place, 2, ["bench/mpi_allreduce.js", ...sizes.map(String)]);
  const found = z.record(z.string(), z.number()).parse(JSON.parse(out));
  return sizes.map((size) => found[String(size)] ?? Number.NaN);
}

async function stepMs(plan: string, inRanks: (words: readonly string[]) => Promise<string>) {
  const file = join(folder, "result.json");
  await inRanks([main, "run", plan, "--adapter", adapter, "--samples", "9", "-o", file]);
  return timed.parse(JSON.parse(await readFile(file, "utf8"))).metrics.stepMs.value;
}

describe.each(launchers.filter(({ file }) => existsSync(file)))("$name", (launcher) => {
  test.each(places)("all-reduce on %s", async (place) => {
    const taken: { readonly own: number[]; readonly library: number[] }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const library = await libraryAllReduce(launcher, place);
      taken.push({ library, own: await ownAllReduce(launcher, place) });
    }
    const rows = sizes.map((size, i) => {
      const own = median(taken.map((each) => each.own[i] ?? Number.NaN));
      const library = median(taken.map((each) => each.library[i] ?? Number.NaN));
      const ratio = median(taken.map((each) => (each.library[i] ?? 0) / (each.own[i] ?? 1)));
      // Of two ranks each sends as many bytes as the message has.
      const rate = (ms: number): string => `${formatNumber(size / ms / 1e6)} GB/s`;
      return { cells: [`${size / 1024} KiB`, rate(own), rate(library), ratio.toFixed(2)] };
    });
    const columns = [
      { title: "message" },
      { title: "busbw, GPU to GPU" },
      { title: "MPI_Allreduce, host" },
      { title: "of it" },
    ];
    console.log(`\n${launcher.name}, ${place}\n${renderTable(columns, rows).join("\n")}\n`);
    expect(taken).toHaveLength(rounds);
  });

  test.each(places)("steps on %s", async (place) => {
    const rows = [];
    for (const plan of [...plans, ...seeds]) {
      const ranks = seeds.includes(plan) ? 3 : 2;
      const shared: number[] = [];
      const mpi: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        shared.push(await stepMs(plan, (words) => output(process.execPath, words)));
        mpi.push(await stepMs(plan, (words) => inJob(launcher, place, ranks, words)));
      }
      const ratio = median(mpi.map((ms, i) => ms / (shared[i] ?? Number.NaN)));
      const cells = [
        plan,
        ...[shared, mpi].map((all) => formatNumber(median(all))),
        ratio.toFixed(2),
      ];
      rows.push({ cells });
    }
    const columns = [
      { title: "plan", align: "left" as const },
      { title: "shared memory, ms" },
      { title: "MPI, ms" },
      { title: "times" },
    ];
    console.log(`\n${launcher.name}, ${place}\n${renderTable(columns, rows).join("\n")}\n`);
    expect(rows).toHaveLength(plans.length + seeds.length);
  });
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  if (areHosts) spawnSync(hosts, ["down", prefix], { stdio: "ignore" });
});
