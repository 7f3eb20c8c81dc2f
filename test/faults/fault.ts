// Faults around a run of the built command line, each with what was kept: the rows of one table.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseStored } from "../../src/result/result_file.ts";

export interface Fault {
  /** In a phrase. */
  readonly name: string;
  /** It lasts longer than ten seconds by itself: for the bench only. */
  readonly slow?: true;
  readonly run: () => Promise<Ended>;
}

export interface Ended {
  readonly command: string;
  /** Until the process was gone, from the fault on. */
  readonly seconds: number;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Samples in the result files of the folder, by their names. */
  readonly kept: Readonly<Record<string, number>>;
  /** Names of what lies there that is not whole. */
  readonly leftBehind: readonly string[];
  /** Ranks that outlived it. */
  readonly ranksLeft: number;
}

const main = resolve("dist/cli/main.js");
/** Whatever takes longer hangs, on any machine. */
const hangMs = 240_000;

/** A step of about a millisecond. */
const plan = {
  name: "faults",
  hardware: { gpus: 2 },
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
};

export interface Scene {
  readonly folder: string;
  readonly pid: number;
  /** What it has written to the terminal, or to standard output and error. */
  readonly text: () => string;
  readonly child: ChildProcess;
  /** Resolves once the text holds it. */
  readonly until: (pattern: RegExp) => Promise<void>;
  /** Ranks that are alive. */
  readonly ranks: () => readonly number[];
}

export interface Setting {
  /** `run plan.json …`. */
  readonly parameters: readonly string[];
  /** On a terminal, where it says what it is doing; else in pipes. Default: pipes. */
  readonly onTerminal?: true;
  /** What a shell does before and around it; `$@` is the command. */
  readonly shell?: string;
  readonly prepare?: (folder: string) => Promise<void>;
  /** The fault. It counts from the end of `before`. */
  readonly before?: (scene: Scene) => Promise<void>;
  readonly happen?: (scene: Scene) => Promise<void>;
}

export function runParameters(...more: readonly string[]): string[] {
  return ["run", "plan.json", "--adapter", "swiftshader", "--no-tune", ...more];
}

/** Runs a command in a folder of its own, has the fault happen, and looks at what is left. */
export async function faultOf(setting: Setting): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), "shardbench-fault-"));
  await writeFile(join(folder, "plan.json"), JSON.stringify(plan));
  await setting.prepare?.(folder);
  const scene = start(folder, setting);
  const ended = new Promise<void>((done) => scene.child.once("close", () => done()));
  const watchdog = AbortSignal.timeout(hangMs);
  watchdog.addEventListener("abort", () => scene.child.kill("SIGKILL"));
  await setting.before?.(scene);
  const begin = performance.now();
  const ranks = scene.ranks();
  await setting.happen?.(scene);
  await ended;
  await gone(scene.pid);
  const seconds = (performance.now() - begin) / 1000;
  await Promise.race([Promise.all(ranks.map(gone)), setTimeout(20_000, undefined, { ref: false })]);
  const { stdout, stderr, code } = scene.outcome();
  return {
    command: ["shardbench", ...setting.parameters].join(" "),
    seconds,
    code,
    stdout,
    stderr,
    ...(await lookAt(folder)),
    ranksLeft: ranks.filter(isAlive).length,
  };
}

function start(folder: string, { parameters, onTerminal, shell = 'exec "$@"' }: Setting) {
  const command = ["sh", "-c", `echo $$ > pid; ${shell}`, "sh", process.execPath, main];
  const { FORCE_COLOR: _, NO_COLOR: __, ...env } = process.env;
  const quoted = [...command, ...parameters].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  const child =
    onTerminal === true
      ? spawn("script", ["-qefc", quoted.join(" "), "/dev/null"], { cwd: folder, env })
      : spawn(command[0] ?? "", [...command.slice(1), ...parameters], { cwd: folder, env });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const pidFile = join(folder, "pid");
  const text = (): string => stdout + stderr;
  return {
    folder,
    child,
    text,
    get pid() {
      return existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
    },
    async until(pattern: RegExp): Promise<void> {
      while (!pattern.test(text())) {
        if (child.exitCode !== null) throw new Error(`ended before ${pattern}: ${text()}`);
        await setTimeout(5);
      }
    },
    ranks: () => childrenOf(Number(existsSync(pidFile) ? readFileSync(pidFile, "utf8") : 0)),
    outcome: () => ({ stdout, stderr, code: child.exitCode }),
  };
}

function childrenOf(pid: number): number[] {
  try {
    const found = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return found.split(" ").filter(Boolean).map(Number).filter(isRank);
  } catch {
    return [];
  }
}

function isRank(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("cli/rank.js");
}

/** 0 is no process. */
function isAlive(pid: number): boolean {
  try {
    // One that nobody has waited for yet is dead all the same.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  for (let wait = isAlive(pid); wait; wait = isAlive(pid)) await setTimeout(20);
}

async function lookAt(folder: string): Promise<Pick<Ended, "kept" | "leftBehind">> {
  const kept: Record<string, number> = {};
  const leftBehind: string[] = [];
  const names = await readdir(folder, { recursive: true });
  for (const name of names) {
    if (name.endsWith(".tmp")) leftBehind.push(name);
    if (!/^r[^/]*\.json$/.test(name)) continue;
    const text = await readFile(join(folder, name), "utf8");
    if (text.startsWith("{")) kept[name] = parseStored(text, name).sources.samples.length;
  }
  return { kept, leftBehind };
}
