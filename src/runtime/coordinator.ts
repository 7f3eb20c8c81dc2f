// Opens the ranks of a program. It never loads Dawn: whatever a driver does
// to a rank, this process outlives it.

import { availableParallelism } from "node:os";
import { stamped } from "../collectives/transport/emulated_links.ts";
import { mailboxPlans } from "../collectives/mailboxes.ts";
import { defaultTransport, type TransportName } from "../collectives/transport/transports.ts";
import { type Waiting, waitingFor } from "../collectives/transport/waiting.ts";
import type { AdapterChoice, AdapterReport } from "../gpu/adapter.ts";
import { refuseOtherAdapter } from "../gpu/opened_as_placed.ts";
import { EnvironmentError } from "../environment_error.ts";
import type { Program } from "../program/program.ts";
import type { SimulatedLink } from "../program/simulate/link_cost.ts";
import type { TunedCall } from "../tuning/tuned_call.ts";
import { openSource } from "../data/open_source.ts";
import type { GivenContents } from "../weights/given_source.ts";
import { refuseOverLimits } from "./buffer_limits.ts";
import { keepAwake } from "./keep_awake.ts";
import { pinThreads } from "./pin_threads.ts";
import { startRankGroup } from "./rank_group.ts";
import { createPool, type RankPool } from "./rank_pool.ts";
import { inheritedFile } from "./rank_process.ts";
import { remoteRanksFor } from "./remote_ranks.ts";
import { defaultPatience, type Patience } from "./watchdog.ts";

/** `awake`: cores that ranks are pinned to do not sleep while nobody works there. */
export type Pinning = boolean | "awake";

export interface OpenRanksOptions {
  /** Ends everything with `EnvironmentError` `interrupted`. */
  readonly signal?: AbortSignal;
  /** Default: the best that works on this machine. */
  readonly transport?: TransportName;
  readonly patience?: Partial<Patience>;
  /** Default: a short spin where there is a core for every rank. */
  readonly waiting?: Waiting;
  /** Rank i runs on core i only (Linux); throws `EnvironmentError` `cannot-pin` where there are fewer. */
  readonly pinToCores?: Pinning;
  /** By rank, the core that it runs on instead; several may share one. */
  readonly cores?: readonly number[];
  /** Emulated between all ranks; default: messages are as fast as the machine. */
  readonly link?: SimulatedLink;
  /** Programs of the same ranks that may be opened beside this one. */
  readonly twins?: readonly Program[];
  /** By adapter id, what tuning found out there. Default: nothing, so that kernels take their usual variants. */
  readonly known?: ReadonlyMap<string, readonly TunedCall[]>;
  /** Weights and tokens. Default: all are made from the program's seed. */
  readonly given?: GivenContents;
}

/**
 * One process per rank, each on its adapter, with its buffers allocated and its kernels compiled.
 *
 * @param placement by rank
 * @throws EnvironmentError that names the rank which could not start; so do the methods of the pool when
 *   a rank dies, hangs, loses its device or runs out of memory, and no other rank is left then
 */
export async function openRanks(
  program: Program,
  placement: readonly (AdapterReport | AdapterChoice)[],
  options: OpenRanksOptions = {},
): Promise<RankPool> {
  // A data set is made once, and refused before any rank starts.
  await openSource(program, options.given);
  const choices = program.ranks.map(({ rank }) => choiceOf(placement[rank], rank));
  for (const own of program.ranks) {
    const placed = placement[own.rank];
    if (placed !== undefined && "choice" in placed) {
      refuseOverLimits(own, placed.limits, placed.choice.id);
    }
  }
  const { pinToCores = false } = options;
  const remote = remoteRanksFor(program.ranks.length);
  if (pinToCores !== false) refuseToPin(program.ranks.length, remote !== undefined);
  const patience = { ...defaultPatience, ...options.patience };
  const transport = remote === undefined ? (options.transport ?? defaultTransport()) : "mpi";
  const { link, twins = [] } = options;
  const plans = mailboxPlans([program, ...twins]);
  const mailboxes = link === undefined ? plans : stamped(plans);
  const own = pinToCores === false ? [] : program.ranks.map(({ rank }) => rank);
  const cores = options.cores ?? own;
  const group = startRankGroup({
    program,
    choices,
    mailboxes,
    transport,
    remote,
    patience,
    cores,
    signal: options.signal,
    onEnd: () => keptAwake.end(),
  });
  const keptAwake = keepAwake(pinToCores === "awake" ? cores : []);
  const software = choices.some((choice) => choice.software);
  const usual = waitingFor(program.ranks.length, availableParallelism(), software);
  const open = async (rank: number) =>
    group.ask(rank, "open", {
      program: program.ranks[rank] ?? { rank, buffers: [], instructions: [] },
      seed: program.seed,
      ...(program.data === undefined ? {} : { data: program.data }),
      ...(options.given === undefined ? {} : { given: options.given }),
      ranks: program.ranks.length,
      choice: choiceOf(placement[rank], rank),
      mailboxes,
      waiting: options.waiting ?? usual,
      known: options.known?.get(choices[rank]?.id ?? "") ?? [],
      ...(link === undefined ? {} : { link }),
      heartbeatMs: Math.min(500, patience.hangMs / 8),
      transport,
      file: inheritedFile,
    });
  try {
    await keptAwake.ready;
    const opened = await Promise.all(choices.map(async (_, rank) => open(rank)));
    // Drivers have started their threads by now.
    await Promise.all(
      group.pids.map(async (pid, rank) => {
        const core = cores[rank];
        if (pid !== undefined && core !== undefined) await pinThreads(pid, core);
      }),
    );
    for (const [rank, { report }] of opened.entries()) {
      const placed = placement[rank];
      if (placed !== undefined && "choice" in placed) refuseOtherAdapter(rank, placed, report);
    }
    return createPool(group, program, transport, choices, opened, options.known ?? new Map());
  } catch (error) {
    await group.end();
    throw error;
  }
}

function choiceOf(placed: AdapterReport | AdapterChoice | undefined, rank: number): AdapterChoice {
  if (placed === undefined) throw new RangeError(`no adapter is placed for rank ${rank}`);
  return "choice" in placed ? placed.choice : placed;
}

function refuseToPin(ranks: number, areRemote: boolean): void {
  if (areRemote) {
    throw new EnvironmentError(
      "cannot-pin",
      "the launcher decides which cores its processes run on",
      "bind them there, such as with mpirun --bind-to core",
    );
  }
  const cores = availableParallelism();
  if (process.platform === "linux" && ranks <= cores) return;
  throw new EnvironmentError(
    "cannot-pin",
    process.platform === "linux"
      ? `${ranks} ranks cannot have a core of their own each: the machine has ${cores}`
      : "processes can be pinned to cores on Linux only",
    "run without pinning, or a plan with fewer ranks",
  );
}
