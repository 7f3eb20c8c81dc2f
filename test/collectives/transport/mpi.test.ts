// The same guarantees over MPI, and whole runs, of processes that a launcher starts. Skipped where the launcher is not
// installed.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { defaultWaiting } from "../../../src/collectives/transport/waiting.ts";
import { type Launcher, launchers } from "../../support/mpi_launchers.ts";

function words(line: string): string[] {
  return line.split(" ");
}

const shardbench = resolve("dist/cli/main.js");
const dense = "run configs/smoke/dense-tp2.yaml --adapter swiftshader --no-tune";

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; output: string; errors: string }>;
}

/** @param before words before the launcher's own */
function start(
  { file, flags }: Launcher,
  processes: number,
  program: readonly string[],
  before: readonly string[] = [],
  more: readonly string[] = [],
): Started {
  const [command = "", ...parameters] = [...before, file, ...flags, ...more];
  const child = spawn(
    command,
    [...parameters, "-n", String(processes), process.execPath, ...program],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const exit = new Promise<number | null>((done) => child.once("exit", done));
  const ended = Promise.all([exit, text(child.stdout), text(child.stderr)]);
  return { child, ended: ended.then(([code, output, errors]) => ({ code, output, errors })) };
}

const launch = (...given: Parameters<typeof start>): Started["ended"] => start(...given).ended;

const hosts = resolve("test/collectives/transport/two_hosts.sh");

/** Why two hosts cannot be made here; undefined where they can. */
function withoutHosts(): string | undefined {
  const { status } = spawnSync(hosts, ["up", "sbprobe"], { stdio: "ignore" });
  spawnSync(hosts, ["down", "sbprobe"], { stdio: "ignore" });
  return status === 0 ? undefined : "network namespaces need root and iproute2";
}

const missing = withoutHosts();

/** Processes of the job that are left, by a word of their command line. */
function leftOf(word: string): string {
  return spawnSync("pgrep", ["-fa", word], { encoding: "utf8" }).stdout.trim();
}

const sizes = [0, 1, 4, 13, 4096, 65_537, 1_000_003];

/** Every rank sends to all the others, and on a channel beside that to those of its host. */
function scenarioOf(ranks: number, ranksPerHost: number) {
  const all = Array.from({ length: ranks }, (_, rank) => rank);
  const hostOf = (rank: number): number => Math.floor(rank / ranksPerHost);
  const mailboxOf = (channel: number, source: number, readers: readonly number[]) => ({
    channel,
    source,
    readers: readers.filter((rank) => rank !== source),
    sizes,
    bytes: Math.max(...sizes),
  });
  const mailboxes = all.flatMap((source) => [
    mailboxOf(3, source, all),
    ...(ranksPerHost === 1
      ? []
      : [
          mailboxOf(
            7,
            source,
            all.filter((rank) => hostOf(rank) === hostOf(source)),
          ),
        ]),
  ]);
  const waiting = defaultWaiting;
  return { ranks, ranksPerHost, rounds: 42, mailboxes, jitter: true, waiting };
}

const playedSchema = z.object({
  right: z.number(),
  neighbours: z.array(z.number()),
  barriers: z.array(z.object({ beforeMs: z.number(), afterMs: z.number() })),
});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "shardbench-mpi-"));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

for (const launcher of launchers) {
  describe.skipIf(!existsSync(launcher.file))(`over ${launcher.name}`, () => {
    test.each([
      [2, 2],
      [3, 1],
      [4, 2],
    ])(
      "%i ranks, %i on a host, get every message of the others, in order and whole",
      async (ranks, ranksPerHost) => {
        const file = join(await folder(), "scenario.json");
        const scenario = scenarioOf(ranks, ranksPerHost);
        await writeFile(file, JSON.stringify(scenario));
        const { code, errors } = await launch(launcher, ranks, [
          "test/collectives/transport/mpi_rank.js",
          file,
        ]);
        expect({ code, errors }).toMatchObject({ code: 0 });
        const played = await Promise.all(
          Array.from({ length: ranks }, async (_, rank) =>
            playedSchema.parse(JSON.parse(await readFile(`${file}.${rank}`, "utf8"))),
          ),
        );
        expect(played.map(({ right }) => right)).toEqual(
          Array.from({ length: ranks }, () => scenario.rounds * (ranks - 1 + ranksPerHost - 1)),
        );
        for (const [rank, { neighbours }] of played.entries()) {
          expect(neighbours).toHaveLength(ranksPerHost);
          expect(neighbours).toContain(rank);
        }
        // Nobody leaves a barrier before the last has come to it.
        for (const [k] of (played[0]?.barriers ?? []).entries()) {
          const own = played.flatMap(({ barriers }) => barriers.slice(k, k + 1));
          const last = Math.max(...own.map(({ beforeMs }) => beforeMs));
          expect(Math.min(...own.map(({ afterMs }) => afterMs))).toBeGreaterThanOrEqual(last);
        }
      },
    );

    test("a plan runs on the launcher's processes, checked and timed", async () => {
      const result = join(await folder(), "result.json");
      const { code, output, errors } = await launch(launcher, 2, [
        shardbench,
        ...words(`${dense} --samples 3 -o ${result}`),
      ]);
      expect({ code, errors }).toMatchObject({ code: 0 });
      expect(output).toMatch(/numbers +right/);
      expect(await readFile(result, "utf8")).toMatch(
        /ranks are processes of an MPI job over .* on one host; within a host they share memory/,
      );
    });

    test("a plan of another number of GPUs is refused with both numbers", async () => {
      const { code, errors, output } = await launch(launcher, 3, [shardbench, ...words(dense)]);
      expect(code).not.toBe(0);
      expect(`${output}${errors}`).toContain(
        "the launcher started 3 processes, and the plan has 2 GPUs",
      );
    });

    test("a rank that is killed is named, what was measured is kept, and nobody is left", async () => {
      const result = join(await folder(), "result.json");
      const { ended } = start(launcher, 2, [
        shardbench,
        ...words(`${dense} --samples 100000 -o ${result}`),
      ]);
      const partial = result.replace(".json", ".partial.json");
      const rank = await rankOnce(result, () => leftOf(result));
      process.kill(rank, "SIGKILL");
      const { code, output } = await ended;
      expect(code).not.toBe(0);
      await vi.waitFor(() => expect(leftOf(result)).toBe(""), { timeout: 10_000 });
      const file = existsSync(partial) ? partial : result;
      // Where it came to no step, the report alone says so.
      const said = `${existsSync(file) ? await readFile(file, "utf8") : ""}${output}`;
      expect(said).toMatch(/rank-died/);
      expect(said).toMatch(/rank 1 /);
    });

    describe.skipIf(missing !== undefined)(
      `on two hosts${missing === undefined ? "" : ` (${missing})`}`,
      () => {
        const prefix = `sb${process.pid % 10_000}`;
        beforeAll(() => {
          spawnSync(hosts, ["up", prefix], { stdio: "inherit" });
        });
        afterAll(() => {
          spawnSync(hosts, ["down", prefix], { stdio: "inherit" });
        });

        test.each(["dense-tp2", "moe-ep2"])("%s is right, on one clock", async (plan) => {
          const own = await folder();
          const agent = join(own, "agent");
          const result = join(own, "result.json");
          await writeFile(agent, `#!/bin/sh\nPREFIX=${prefix} exec ${hosts} agent "$@"\n`, {
            mode: 0o755,
          });
          const command = `run configs/smoke/${plan}.yaml --adapter swiftshader --no-tune --samples 3 -o ${result}`;
          const { code, output, errors } = await launch(
            launcher,
            2,
            [shardbench, ...words(command)],
            [hosts, "on", prefix, "a"],
            launcher.apart(agent),
          );
          expect({ code, errors }).toMatchObject({ code: 0 });
          expect(output).toMatch(/numbers +right/);
          const kept = await readFile(result, "utf8");
          expect(kept).toMatch(/on 2 hosts, whose clocks agree within \d+ µs/);
          expect(kept).toMatch(/between hosts in \d+ layers: it is faster/);
        });
      },
    );
  });
}

/** The process of rank 1, a while after it has loaded its GPU's driver. */
async function rankOnce(word: string, list: () => string): Promise<number> {
  const found = await vi.waitFor(
    () => {
      const pids = list()
        .split("\n")
        .map((line) => Number(line.split(" ")[0]));
      const ranks = pids.filter((pid) =>
        /^(OMPI_COMM_WORLD_RANK|PMI_RANK)=1$/m.test(environmentOf(pid)),
      );
      const last = ranks.find((pid) => commandOf(pid) === "node");
      if (last === undefined) throw new Error(`no rank of ${word} yet`);
      return last;
    },
    { timeout: 60_000, interval: 200 },
  );
  await vi.waitFor(
    () => expect(readFileSync(`/proc/${found}/maps`, "utf8")).toMatch(/dawn\.node/),
    { timeout: 120_000, interval: 200 },
  );
  await new Promise((done) => setTimeout(done, 5000));
  return found;
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").replaceAll("\0", "\n");
  } catch {
    return "";
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}
