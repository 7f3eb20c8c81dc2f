// A rank's side: does what the coordinator asks.

import type { Communicator } from "../collectives/transport/communicator.ts";
import { emulateLinks } from "../collectives/transport/emulated_links.ts";
import type { RankSide } from "../collectives/transport/transport.ts";
import { transports } from "../collectives/transport/transports.ts";
import { EnvironmentError } from "../environment_error.ts";
import { recordError } from "./error_record.ts";
import {
  activities,
  type FromRank,
  type RankPosition,
  type Request,
  type ToRank,
} from "./messages.ts";
import { answersOf } from "./answers.ts";
import type { Answer, Answers, Kind, Opened, OpenRequest } from "./protocol.ts";
import { openRankSession, type RankSession } from "./rank_session.ts";

export interface RankServer {
  readonly hear: (message: Exclude<ToRank, { readonly kind: "close" }>) => void;
  /** Tells the coordinator what went wrong. */
  readonly fail: (error: unknown) => void;
  /** Leaves the program: gives back its GPU and its memory. */
  readonly close: () => void;
}

/** In a process of its own, which ends when the channel to the coordinator does. */
export function serveRank(process: NodeJS.Process): void {
  const { hear, fail, close } = createRankServer((message) => process.send?.(message));
  process.on("message", (message: ToRank) => {
    if (message.kind !== "close") {
      hear(message);
      return;
    }
    close();
    process.exit(0);
  });
  process.on("disconnect", () => process.exit(1));
  endWith(process, fail);
}

/** What nobody caught is the rank's failure. */
export function endWith(process: NodeJS.Process, fail: RankServer["fail"]): void {
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  // A terminal sends Ctrl-C and its end to the whole group, and so does `timeout`; the coordinator decides what it means.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => {});
}

/** For one program. @param tell to the coordinator, in order */
export function createRankServer(tell: (message: FromRank) => void): RankServer {
  const place = createPlace();
  const { moveTo } = place;
  let session: RankSession | undefined;
  let answers: Omit<Answers, "open"> | undefined;
  let transport: RankSide | undefined;
  let heartbeat: NodeJS.Timeout | undefined;

  const fail = (error: unknown): void => {
    tell({ kind: "failed", error: recordError(error), position: place.position() });
  };
  const openCommunicator = (request: OpenRequest): Communicator => {
    const { program, ranks, mailboxes, waiting, file } = request;
    transport = transports[request.transport].join({
      rank: program.rank,
      ranks,
      mailboxes,
      waiting,
      file,
      tell: (message) => tell({ kind: "transport", message }),
    });
    place.noteInto(transport.notes);
    return transport.communicator;
  };

  const open = async (request: OpenRequest): Promise<Opened> => {
    // Whatever a driver does while it opens is waited for as for a GPU.
    moveTo("drain", undefined);
    heartbeat = setInterval(
      () => tell({ kind: "heartbeat", ...place.position() }),
      request.heartbeatMs,
    );
    const direct = openCommunicator(request);
    const { link } = request;
    const communicator = link === undefined ? direct : emulateLinks(direct, link);
    session = await openRankSession(request, communicator, moveTo, (reason) =>
      fail(lostDevice(reason)),
    );
    answers = answersOf(session);
    const { gpu, allocatedBytes, calls } = session;
    return { report: gpu.report, allocatedBytes, peakBytes: gpu.memory.peakBytes, calls };
  };

  const answer = async <Of extends Kind>({ what, asked }: Request<Of>): Promise<Answer<Of>> => {
    const all: Partial<Answers> = { open, ...answers };
    const own: Answers[Of] | undefined = all[what];
    if (own === undefined) throw new Error(`${what} before open`);
    return own(asked, (part) => tell({ kind: "part", part }));
  };

  const obey = async (request: Request): Promise<void> => {
    try {
      const found = await answer(request);
      moveTo("idle", undefined);
      tell({ kind: "answer", answer: found });
    } catch (error) {
      // A lost device also fails whatever was under way; its own message says more and comes first.
      setImmediate(() => fail(error));
    }
  };

  return {
    hear(message) {
      if (message.kind === "ask") void obey(message);
      else transport?.hear(message.message);
    },
    fail,
    close() {
      clearInterval(heartbeat);
      session?.close();
    },
  };
}

interface Place {
  readonly position: () => RankPosition;
  readonly moveTo: (activity: RankPosition["activity"], instruction: number | undefined) => void;
  /** From now on also there, where the coordinator reads it whatever becomes of the rank. */
  readonly noteInto: (notes: Int32Array | undefined) => void;
}

/** Where the rank is, as it tells it. */
function createPlace(): Place {
  let position: RankPosition = { activity: "idle", turns: 0 };
  let notes: Int32Array | undefined;
  const note = ({ activity, instruction, turns }: RankPosition): void => {
    if (notes === undefined) return;
    notes[0] = activities.indexOf(activity);
    // Counted from 1: a file of zeros is a rank that has not begun.
    notes[1] = instruction === undefined ? 0 : instruction + 1;
    notes[2] = turns;
  };
  return {
    position: () => position,
    moveTo(activity, instruction) {
      const turns = (position.turns + 1) | 0;
      position = { activity, turns, ...(instruction === undefined ? {} : { instruction }) };
      note(position);
    },
    noteInto(memory) {
      notes = memory;
      note(position);
    },
  };
}

function lostDevice(reason: string): EnvironmentError {
  return new EnvironmentError(
    "device-lost",
    `the GPU device was lost: ${reason}`,
    "the driver reset the GPU or ran out of memory; use smaller shapes, or another adapter",
  );
}
