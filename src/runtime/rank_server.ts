// A rank's side of the IPC channel: does what the coordinator asks, and ends when that is gone.

import type { Communicator } from "../collectives/communicator.ts";
import { emulateLinks } from "../collectives/emulated_links.ts";
import type { RelayMessage } from "../collectives/relay.ts";
import { createRelayCommunicator } from "../collectives/relay_communicator.ts";
import { openSharedMemoryCommunicator } from "../collectives/shared_memory_communicator.ts";
import { EnvironmentError } from "../environment_error.ts";
import type { RankTrace } from "../program/trace.ts";
import { recordError } from "./error_record.ts";
import {
  activities,
  type FromRank,
  type OpenRequest,
  type Position,
  type Request,
  type ToRank,
} from "./messages.ts";
import type { RecalledCalibration } from "../gpu/calibration/recall.ts";
import { takeMemory } from "./rank_memory.ts";
import { openRankSession, type RankSession } from "./rank_session.ts";

export function serveRank(process: NodeJS.Process): void {
  let position: Position = { activity: "idle", turns: 0 };
  let notes: Int32Array | undefined;
  let session: RankSession | undefined;
  let deliver: ((message: RelayMessage) => void) | undefined;

  const tell = (message: FromRank): void => {
    process.send?.(message);
  };
  const fail = (error: unknown): void => {
    tell({ kind: "failed", error: recordError(error), position });
  };
  const moveTo = (activity: Position["activity"], instruction: number | undefined): void => {
    const turns = (position.turns + 1) | 0;
    position = { activity, turns, ...(instruction === undefined ? {} : { instruction }) };
    if (notes === undefined) return;
    notes[0] = activities.indexOf(activity);
    // Counted from 1: a file of zeros is a rank that has not begun.
    notes[1] = instruction === undefined ? 0 : instruction + 1;
    notes[2] = turns;
  };

  const openCommunicator = (request: OpenRequest): Communicator => {
    const { program, ranks, mailboxes, sharedFile: file, waiting } = request;
    const { rank } = program;
    if (file === undefined) {
      const relayed = createRelayCommunicator({ rank, ranks, mailboxes, send: tell });
      deliver = (message) => relayed.deliver(message);
      return relayed;
    }
    const shared = openSharedMemoryCommunicator({ file, rank, ranks, mailboxes, waiting });
    ({ notes } = shared);
    moveTo("drain", undefined);
    return shared;
  };

  const answer = async (request: Exclude<Request, { kind: "close" }>): Promise<FromRank> => {
    if (request.kind === "open") {
      // Whatever a driver does while it opens is waited for as for a GPU.
      moveTo("drain", undefined);
      setInterval(() => tell({ kind: "heartbeat", ...position }), request.heartbeatMs);
      const direct = openCommunicator(request);
      const { link } = request;
      const communicator = link === undefined ? direct : emulateLinks(direct, link);
      session = await openRankSession(request, communicator, moveTo, (reason) =>
        fail(lostDevice(reason)),
      );
      const { gpu, allocatedBytes, calls } = session;
      const { peakBytes } = gpu.memory;
      return { kind: "opened", report: gpu.report, allocatedBytes, peakBytes, calls };
    }
    if (session === undefined) throw new Error(`${request.kind} before open`);
    if (request.kind === "step") {
      const traces: RankTrace[] = [];
      for (let left = request.count ?? 1; left > 0; left--)
        traces.push(await session.step(request));
      return { kind: "stepped", traces, peakBytes: session.gpu.memory.peakBytes };
    }
    if (request.kind === "observe") {
      const observation = await session.observe(request);
      return { kind: "observed", observation };
    }
    if (request.kind === "digests") {
      return { kind: "digested", digests: await session.digests() };
    }
    if (request.kind === "memory") {
      return { kind: "memory-taken", memory: takeMemory(session.gpu.memory.bytes) };
    }
    if (request.kind === "record") {
      return { kind: "recorded", ...(await session.record()) };
    }
    if (request.kind === "exclusive") {
      const alone = await session.stepAlone();
      if (request.isLast) session.forget();
      return { kind: "timed-alone", ...alone };
    }
    moveTo("drain", undefined);
    if (request.kind === "size-load") {
      return { kind: "load-sized", load: await session.sizeLoad(request.targetMs) };
    }
    if (request.kind === "occupy") {
      return { kind: "occupied", turn: await session.occupy(request.load) };
    }
    if (request.kind === "tune") return { kind: "tuned", tuned: await session.tune(request) };
    if (request.kind === "adopt") {
      return { kind: "adopted", calls: await session.adopt(request.known) };
    }
    if (request.kind === "look-at-peaks") {
      return { kind: "peaks-seen", look: await session.lookAtPeaks(request.forms) };
    }
    const onPart = (part: RecalledCalibration): void => tell({ kind: "part", part });
    return { kind: "calibrated", ...(await session.calibrate(request.how, onPart)) };
  };

  const obey = async (request: Request): Promise<void> => {
    if (request.kind === "close") {
      session?.close();
      process.exit(0);
    }
    try {
      const reply = await answer(request);
      moveTo("idle", undefined);
      tell(reply);
    } catch (error) {
      // A lost device also fails whatever was under way; its own message says more and comes first.
      setImmediate(() => fail(error));
    }
  };

  process.on("message", (message: ToRank) => {
    if (isRelayed(message)) deliver?.(message);
    else void obey(message);
  });
  process.on("disconnect", () => process.exit(1));
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  // A terminal sends Ctrl-C and its end to the whole group, and so does `timeout`; the coordinator decides what it means.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => {});
}

const isRelayed = (message: ToRank): message is RelayMessage =>
  message.kind === "relay-post" ||
  message.kind === "relay-release" ||
  message.kind === "relay-barrier";

const lostDevice = (reason: string): EnvironmentError =>
  new EnvironmentError(
    "device-lost",
    `the GPU device was lost: ${reason}`,
    "the driver reset the GPU or ran out of memory; use smaller shapes, or another adapter",
  );
