// A command that an MPI launcher started several times over: `mpirun -n 8 shardbench run plan.yaml`. Every process is a
// rank; that of rank 0 also starts the command itself, as a process of its own, which coordinates the ranks, and whose
// exit code is the job's.

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { joinWorld } from "../collectives/transport/mpi/world.ts";
import { broadcast, type MpiWorld } from "../collectives/transport/mpi/world_messages.ts";
import { ownHost } from "../gpu/job_hosts.ts";
import { filterDawnsNotices } from "../runtime/quiet_errors.ts";
import { listenForRanks } from "../runtime/remote_ranks.ts";
import { serveRemote, type Whereabouts } from "../runtime/serve_remote.ts";
import { exitCodes } from "./exit_code.ts";

/** Tells the coordinator how many ranks will connect, and what they know. */
const variable = "SHARDBENCH_MPI_JOB";

/** What a launcher tells its processes, which those that they start must not take for theirs. */
const launchers = /^(OMPI_|PMIX?_|PRTE_|HYDRA_|MPI_LOCAL|SLURM_NTASKS$)/;

interface Called extends Whereabouts {
  readonly token: string;
}

/** Never returns where this is the process of a rank. */
export async function serveInJob(): Promise<never> {
  const world = joinWorld();
  const { rank, size, mpi, clockUncertaintyMs, neighbours } = world;
  const host = ownHost();
  const token = randomBytes(16).toString("hex");
  const command = rank === 0 ? startCommand(size, token) : undefined;
  const own = command && { addresses: addresses(), port: await command.port, token };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- rank 0 runs the same version
  const called = JSON.parse(broadcast(world, JSON.stringify(own ?? ""))) as Called;
  await filterDawnsNotices();
  const { closed, isIdle } = await serveRemote(called, {
    token: called.token,
    rank,
    host: host.name,
    machine: host.machine,
    library: mpi.version,
    clockUncertaintyMs,
    sharesMemory: neighbours.length > 1,
  });
  const code = await (command === undefined ? closed.then(() => exitCodes.fine) : command.ended);
  return leave(world, code, isIdle());
}

/** Where this process is the command of a job: returns when all ranks have connected. */
export async function meetRanks(environment: NodeJS.ProcessEnv): Promise<void> {
  const job = environment[variable];
  if (job === undefined) return;
  const [count, token = ""] = job.split(" ");
  delete environment[variable];
  const { port, ready } = await listenForRanks(Number(count), token);
  process.send?.(port);
  await ready;
  process.disconnect();
}

interface Command {
  readonly port: Promise<number>;
  readonly ended: Promise<number>;
}

function startCommand(ranks: number, token: string): Command {
  const kept = Object.entries(process.env).filter(([name]) => !launchers.test(name));
  const child = spawn(process.execPath, process.argv.slice(1), {
    // In a group of its own: it still tells what was measured when the launcher ends all ranks.
    detached: true,
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...Object.fromEntries(kept), [variable]: `${ranks} ${token}` },
  });
  return { port: once(child), ended: endOf(child) };
}

async function once(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("message", (port: number) => resolve(port));
  });
}

async function endOf(child: ChildProcess): Promise<number> {
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => child.kill(name));
  return new Promise((resolve) => {
    child.once("exit", (code) => resolve(code ?? exitCodes.interrupted));
  });
}

function addresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((own) => own ?? []);
  const outer = all.filter(({ internal }) => !internal).map(({ address }) => address);
  return [...outer, "127.0.0.1"];
}

/** Codes of commands whose ranks are all there. */
const orderly: ReadonlySet<number> = new Set([
  exitCodes.fine,
  exitCodes.badPlan,
  exitCodes.claimRefuted,
  exitCodes.wrongNumerics,
  exitCodes.usage,
]);

/** All ranks leave together; where one may be missing, or is still in a program, the job ends at once. */
function leave({ mpi, rank }: MpiWorld, code: number, isIdle: boolean): never {
  const isOrderly = isIdle && orderly.has(code);
  // Either way the library may wait for a machine that cannot be reached.
  endWithin(isOrderly ? 30 : 5);
  if (isOrderly) mpi.finalize();
  else if (rank === 0) mpi.abort(code);
  return process.exit(isOrderly ? code : code || exitCodes.environment);
}

/**
 * Another process ends this one, whatever it waits for. It looks every second, and ends with it: the launcher waits for
 * whoever holds what this one was given.
 */
function endWithin(seconds: number): void {
  const isParent = `read -r pid name state parent rest < /proc/$$/stat && [ "$parent" = ${process.pid} ]`;
  const script = `left=${seconds}; while ${isParent}; do [ $left = 0 ] && kill -9 "$parent"; sleep 1; left=$((left - 1)); done`;
  spawn("sh", ["-c", script], { detached: true, stdio: "ignore" }).unref();
}
