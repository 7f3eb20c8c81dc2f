// All ranks of a program in one page, on one device. They exchange what ranks in processes of their own do, by the same
// collectives, and each takes its turn whenever another waits.

import { mailboxPlans } from "../collectives/mailboxes.ts";
import {
  createRelayCommunicator,
  type RelayCommunicator,
} from "../collectives/transport/relay/communicator.ts";
import { createHub } from "../collectives/transport/relay/hub.ts";
import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import { hostMs } from "../gpu/timestamps.ts";
import { hashSource } from "../program/hash_source.ts";
import type { Program } from "../program/program.ts";
import type { StepObservation } from "../harness/verify.ts";
import type { ObserveOptions } from "../runtime/observation.ts";
import { observe } from "../runtime/observe.ts";
import { openProgram, type ProgramHost, type ProgramSession } from "../runtime/open_program.ts";
import { openBrowserGpu } from "./open_gpu.ts";

export interface PageRanks {
  readonly gpu: LogicalGpu;
  readonly sessions: readonly ProgramSession[];
  /** One step on all ranks. */
  observe(options: ObserveOptions): Promise<StepObservation>;
  close(): void;
}

/** @throws EnvironmentError where the adapter has too little memory for all of them */
export async function openPageRanks(program: Program): Promise<PageRanks> {
  const gpu = await openBrowserGpu("host");
  const mailboxes = mailboxPlans([program]);
  const ranks = program.ranks.length;
  const communicators: RelayCommunicator[] = [];
  const send = createHub(ranks, (rank, message) => communicators[rank]?.deliver(message));
  const close = (): void => {
    for (const communicator of communicators) communicator.close();
    gpu.close();
  };
  for (const { rank } of program.ranks) {
    communicators.push(createRelayCommunicator({ rank, ranks, mailboxes, send }));
  }
  const nothing = (): void => undefined;
  const host: Omit<ProgramHost, "communicator"> = {
    gpu,
    threadMs: hostMs,
    onProgress: nothing,
    onLongWork: nothing,
    source: hashSource(program.seed),
  };
  try {
    const sessions: ProgramSession[] = [];
    for (const [rank, communicator] of communicators.entries()) {
      const own = program.ranks[rank];
      if (own === undefined) continue;
      const on = { ...host, communicator };
      sessions.push({ ...on, ...(await openProgram(on, own, [])) });
    }
    return {
      gpu,
      sessions,
      close,
      async observe(options) {
        const found = await Promise.all(sessions.map(async (session) => observe(session, options)));
        return {
          observed: found.flatMap(({ observed }) => observed),
          checks: found.flatMap(({ check }) => check ?? []),
        };
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}
