// All ranks of a program as processes: asks them, hears them, and ends them all when one fails.

import { setTimeout } from "node:timers/promises";
import type { MailboxPlan } from "../collectives/transport/communicator.ts";
import { type TransportName, transports } from "../collectives/transport/transports.ts";
import type { CoordinatorSide } from "../collectives/transport/transport.ts";
import { EnvironmentError } from "../environment_error.ts";
import type { AdapterChoice } from "../gpu/adapter.ts";
import type { Program } from "../program/program.ts";
import { groupsBetweenHosts } from "./between_hosts.ts";
import { activities, type FromRank, type RankPosition } from "./messages.ts";
import type { Answer, Asked, Kind, OnPart } from "./protocol.ts";
import { diedError, hungError, type Scene, thrownError } from "./rank_fault.ts";
import { type RankProcess, startRank } from "./rank_process.ts";
import type { RemoteRanks } from "./remote_ranks.ts";
import type { Patience } from "./watchdog.ts";
import { watchRanks } from "./watch_ranks.ts";

export interface RankGroupOptions {
  readonly program: Program;
  readonly choices: readonly AdapterChoice[];
  readonly mailboxes: readonly MailboxPlan[];
  readonly transport: TransportName;
  /** Absent: each rank in a process that is started for it. */
  readonly remote: RemoteRanks | undefined;
  /** By rank, the only core that its process may use; absent: any. */
  readonly cores: readonly (number | undefined)[];
  readonly patience: Patience;
  readonly signal: AbortSignal | undefined;
  /** Called when no rank is asked anything any more, by a fault and at the end. */
  readonly onEnd: () => void;
}

export interface RankGroup {
  readonly pids: readonly (number | undefined)[];
  /** What a person should know of the circumstances. */
  readonly notes: readonly string[];
  /** As `RemoteRanks` has it. */
  readonly clockUncertaintyMs: number;
  /** Rejects with the first fault of any rank. One request at a time per rank. */
  readonly ask: <Of extends Kind>(
    rank: number,
    what: Of,
    asked: Asked<Of>,
    onPart?: OnPart,
  ) => Promise<Answer<Of>>;
  /** The same of every rank at once. */
  readonly askAll: <Of extends Kind>(what: Of, asked: Asked<Of>) => Promise<Answer<Of>[]>;
  /** Lets all ranks end, and makes them. */
  end(): Promise<void>;
}

interface Task {
  readonly name: string;
  readonly askedMs: number;
  readonly onPart: OnPart;
  /** Takes an answer of the row that was asked. */
  resolve(answer: Answer<Kind>): void;
  readonly reject: (error: Error) => void;
}

/** Time that a process has to be gone after it was asked. */
const partingMs = 2000;
/** And after it was killed: the system, which then takes back what it held, may have much else to do. */
const goneMs = 20_000;

export function startRankGroup(options: RankGroupOptions): RankGroup {
  const { program, mailboxes, patience, signal } = options;
  if (signal?.aborted === true) throw interruption();
  const transport = transports[options.transport].coordinate({
    ranks: program.ranks.length,
    mailboxes,
    tell: (rank, message) => processOf(group, rank).send({ kind: "transport", message }),
  });
  const group: Group = {
    options,
    transport,
    processes: program.ranks.map(({ rank }) => {
      const onMessage = (message: FromRank): void => hear(group, rank, message);
      const { file } = transport;
      const core = options.cores[rank];
      return options.remote?.start(rank, onMessage) ?? startRank({ rank, file, core, onMessage });
    }),
    tasks: new Map(),
    failure: undefined,
    ending: false,
    clean: () => clean(),
  };
  const { processes, tasks } = group;
  for (const { rank, ended } of processes) {
    void ended.then((end) => isOpen(group) && fail(group, diedError(sceneOf(group, rank), end)));
  }
  const stopWatching = watchRanks(
    patience,
    () =>
      [...tasks].map(([rank, { askedMs }]) => ({
        rank,
        pid: processOf(group, rank).pid,
        askedMs,
        position: positionOf(group, rank),
        heardMs: processOf(group, rank).heardMs,
      })),
    (hang) => fail(group, hungError(sceneOf(group, hang.rank), hang)),
  );
  const interrupt = (): void => fail(group, interruption());
  signal?.addEventListener("abort", interrupt);
  const clean = (): void => {
    stopWatching();
    options.onEnd();
    signal?.removeEventListener("abort", interrupt);
  };
  const ask: RankGroup["ask"] = async (rank, what, asked, onPart = () => undefined) => {
    if (group.failure !== undefined) {
      await allEnded(processes);
      throw group.failure;
    }
    if (tasks.has(rank)) throw new Error(`rank ${rank} is busy with ${tasks.get(rank)?.name}`);
    return new Promise((resolve, reject) => {
      tasks.set(rank, { name: what, askedMs: performance.now(), onPart, resolve, reject });
      processOf(group, rank).send({ kind: "ask", what, asked });
    });
  };
  return {
    clockUncertaintyMs: options.remote?.clockUncertaintyMs ?? 0,
    notes: [...transport.notes, ...notesOf(program, options.remote)],
    pids: processes.map(({ pid }) => pid),
    ask,
    askAll: async (what, asked) =>
      Promise.all(program.ranks.map(async ({ rank }) => ask(rank, what, asked))),
    end: async () => endAll(group),
  };
}

function notesOf(program: Program, remote: RemoteRanks | undefined): string[] {
  if (remote === undefined) return [];
  const slow = groupsBetweenHosts(program, remote.hosts);
  return [...remote.notes, ...(slow === undefined ? [] : [slow])];
}

interface Group {
  readonly options: RankGroupOptions;
  readonly transport: CoordinatorSide;
  readonly processes: readonly RankProcess[];
  /** What each rank is at. */
  readonly tasks: Map<number, Task>;
  failure: Error | undefined;
  ending: boolean;
  /** No rank is asked anything any more. */
  readonly clean: () => void;
}

function isOpen({ failure, ending }: Group): boolean {
  return failure === undefined && !ending;
}

function processOf({ processes }: Group, rank: number): RankProcess {
  const found = processes[rank];
  if (found === undefined) throw new RangeError(`rank ${rank} of ${processes.length}`);
  return found;
}

/** What a rank noted last is newer than its last heartbeat, and outlives it. */
function positionOf(group: Group, rank: number): RankPosition {
  const { transport, ending } = group;
  if (transport.notesOf === undefined || ending) return processOf(group, rank).position;
  const [activity = 0, count = 0, turns = 0] = transport.notesOf(rank);
  return {
    activity: activities[activity] ?? "idle",
    turns,
    ...(count === 0 ? {} : { instruction: count - 1 }),
  };
}

function sceneOf(group: Group, rank: number): Scene {
  const { program, choices } = group.options;
  const rankProgram = program.ranks[rank];
  if (rankProgram === undefined) throw new RangeError(`rank ${rank} of ${program.ranks.length}`);
  return {
    program: rankProgram,
    adapter: choices[rank]?.id ?? "no adapter",
    position: positionOf(group, rank),
    task: group.tasks.get(rank)?.name,
  };
}

function hear(group: Group, rank: number, message: FromRank): void {
  const { tasks } = group;
  // What was on its way when another rank failed answers nobody any more.
  if (group.failure !== undefined) return;
  switch (message.kind) {
    case "heartbeat":
      return;
    case "part":
      tasks.get(rank)?.onPart(message.part);
      return;
    case "failed": {
      const scene = { ...sceneOf(group, rank), position: message.position };
      fail(group, thrownError(scene, message.error));
      return;
    }
    case "transport":
      group.transport.hear(message.message);
      return;
    case "answer": {
      const task = tasks.get(rank);
      tasks.delete(rank);
      task?.resolve(message.answer);
    }
  }
}

function fail(group: Group, error: Error): void {
  if (!isOpen(group)) return;
  group.failure = error;
  group.clean();
  void endWith(group, error);
}

/** Nobody hears of the fault before all processes are gone. */
async function endWith({ processes, tasks }: Group, error: Error): Promise<void> {
  await killAll(processes);
  for (const { reject } of tasks.values()) reject(error);
  tasks.clear();
}

async function endAll(group: Group): Promise<void> {
  const { processes, transport } = group;
  if (group.ending) return;
  group.ending = true;
  group.clean();
  for (const process of processes) process.send({ kind: "close" });
  await allEnded(processes, partingMs);
  await killAll(processes);
  transport.close();
}

function interruption(): EnvironmentError {
  return new EnvironmentError("interrupted", "interrupted", "run again to measure more");
}

async function allEnded(processes: readonly RankProcess[], withinMs = goneMs): Promise<void> {
  const ended = Promise.all(processes.map((process) => process.ended));
  await Promise.race([ended, setTimeout(withinMs, undefined, { ref: false })]);
}

async function killAll(processes: readonly RankProcess[]): Promise<void> {
  for (const process of processes) process.kill();
  await allEnded(processes);
}
