// All ranks of a program as processes: asks them, hears them, and ends them all when one fails.

import { setTimeout } from "node:timers/promises";
import type { MailboxPlan } from "../collectives/transport/communicator.ts";
import { type TransportName, transports } from "../collectives/transport/transports.ts";
import { EnvironmentError } from "../environment_error.ts";
import type { AdapterChoice } from "../gpu/adapter.ts";
import type { Program } from "../program/program.ts";
import type { RecalledCalibration } from "../gpu/calibration/recall.ts";
import { activities, type FromRank, type RankPosition } from "./messages.ts";
import type { Answer, Asked, Kind } from "./protocol.ts";
import { diedError, hungError, type Scene, thrownError } from "./rank_fault.ts";
import { type RankProcess, startRank } from "./rank_process.ts";
import type { Patience } from "./watchdog.ts";
import { watchRanks } from "./watch_ranks.ts";

export interface RankGroupOptions {
  readonly program: Program;
  readonly choices: readonly AdapterChoice[];
  readonly mailboxes: readonly MailboxPlan[];
  readonly transport: TransportName;
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
  /** Rejects with the first fault of any rank. One request at a time per rank. */
  ask<Of extends Kind>(
    rank: number,
    what: Of,
    asked: Asked<Of>,
    onPart?: (part: RecalledCalibration) => void,
  ): Promise<Answer<Of>>;
  /** The same of every rank at once. */
  askAll<Of extends Kind>(what: Of, asked: Asked<Of>): Promise<Answer<Of>[]>;
  /** Lets all ranks end, and makes them. */
  end(): Promise<void>;
}

interface Task {
  readonly name: string;
  readonly askedMs: number;
  readonly onPart: (part: RecalledCalibration) => void;
  /** Takes an answer of the row that was asked. */
  resolve(answer: Answer<Kind>): void;
  readonly reject: (error: Error) => void;
}

/** Time that a process has to be gone after it was asked. */
const partingMs = 2000;
/** And after it was killed: the system, which then takes back what it held, may have much else to do. */
const goneMs = 20_000;

export function startRankGroup(options: RankGroupOptions): RankGroup {
  const { program, choices, mailboxes, patience, signal } = options;
  if (signal?.aborted === true) throw interruption();
  const transport = transports[options.transport].coordinate({
    ranks: program.ranks.length,
    mailboxes,
    tell: (rank, message) => processOf(rank).send({ kind: "transport", message }),
  });
  const tasks = new Map<number, Task>();
  let failure: Error | undefined;
  let ending = false;

  const hear = (rank: number, message: FromRank): void => {
    // What was on its way when another rank failed answers nobody any more.
    if (failure !== undefined) return;
    switch (message.kind) {
      case "heartbeat":
        return;
      case "part":
        tasks.get(rank)?.onPart(message.part);
        return;
      case "failed":
        fail(thrownError({ ...sceneOf(rank), position: message.position }, message.error));
        return;
      case "transport":
        transport.hear(message.message);
        return;
      case "answer": {
        const task = tasks.get(rank);
        tasks.delete(rank);
        task?.resolve(message.answer);
      }
    }
  };

  const processes = program.ranks.map(({ rank }) =>
    startRank({
      rank,
      file: transport.file,
      core: options.cores[rank],
      onMessage: (message) => hear(rank, message),
    }),
  );
  const processOf = (rank: number): RankProcess => {
    const found = processes[rank];
    if (found === undefined) throw new RangeError(`rank ${rank} of ${processes.length}`);
    return found;
  };

  /** What a rank noted last is newer than its last heartbeat, and outlives it. */
  const positionOf = (rank: number): RankPosition => {
    if (transport.notesOf === undefined || ending) return processOf(rank).position;
    const [activity = 0, count = 0, turns = 0] = transport.notesOf(rank);
    return {
      activity: activities[activity] ?? "idle",
      turns,
      ...(count === 0 ? {} : { instruction: count - 1 }),
    };
  };
  const sceneOf = (rank: number): Scene => {
    const rankProgram = program.ranks[rank];
    if (rankProgram === undefined) throw new RangeError(`rank ${rank} of ${processes.length}`);
    return {
      program: rankProgram,
      adapter: choices[rank]?.id ?? "no adapter",
      position: positionOf(rank),
      task: tasks.get(rank)?.name,
    };
  };

  const fail = (error: Error): void => {
    if (failure !== undefined || ending) return;
    failure = error;
    clean();
    void endWith(error);
  };
  /** Nobody hears of the fault before all processes are gone. */
  const endWith = async (error: Error): Promise<void> => {
    await killAll(processes);
    for (const { reject } of tasks.values()) reject(error);
    tasks.clear();
  };
  for (const { rank, ended } of processes) {
    void ended.then(
      (end) => failure === undefined && !ending && fail(diedError(sceneOf(rank), end)),
    );
  }

  const stopWatching = watchRanks(
    patience,
    () =>
      [...tasks].map(([rank, { askedMs }]) => ({
        rank,
        pid: processOf(rank).pid,
        askedMs,
        position: positionOf(rank),
        heardMs: processOf(rank).heardMs,
      })),
    (hang) => fail(hungError(sceneOf(hang.rank), hang)),
  );
  const interrupt = (): void => fail(interruption());
  signal?.addEventListener("abort", interrupt);

  const clean = (): void => {
    stopWatching();
    options.onEnd();
    signal?.removeEventListener("abort", interrupt);
  };

  const ask: RankGroup["ask"] = async (rank, what, asked, onPart = () => undefined) => {
    if (failure !== undefined) {
      await allEnded(processes);
      throw failure;
    }
    if (tasks.has(rank)) throw new Error(`rank ${rank} is busy with ${tasks.get(rank)?.name}`);
    return new Promise((resolve, reject) => {
      tasks.set(rank, { name: what, askedMs: performance.now(), onPart, resolve, reject });
      processOf(rank).send({ kind: "ask", what, asked });
    });
  };

  return {
    notes: transport.notes,
    pids: processes.map(({ pid }) => pid),
    ask,
    askAll: async (what, asked) =>
      Promise.all(program.ranks.map(async ({ rank }) => ask(rank, what, asked))),

    async end() {
      if (ending) return;
      ending = true;
      clean();
      for (const process of processes) process.send({ kind: "close" });
      await allEnded(processes, partingMs);
      await killAll(processes);
      transport.close();
    },
  };
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
