// One rank, open on its adapter: its program with everything made ready, and its twins where there are any.

import type { Communicator } from "../collectives/transport/communicator.ts";
import { openGpu } from "../gpu/open.ts";
import { openSource } from "../data/open_source.ts";
import { openProgram, type ProgramHost, type ProgramSession } from "./open_program.ts";
import type { Asked, OpenRequest } from "./protocol.ts";
import type { Execution } from "./step.ts";
import { createThreadClock } from "./thread_clock.ts";
import { openTwin } from "./twin.ts";

export interface RankSession extends ProgramSession {
  /** Bytes of the buffers that the program declares. */
  readonly allocatedBytes: number;
  /** Opens a program beside the own one. Undefined where the GPU has no memory for it. */
  readonly openTwin: (asked: Asked<"openTwin">) => Promise<ProgramSession | undefined>;
  close(): void;
}

export async function openRankSession(
  { program, seed, data, given, choice, known }: OpenRequest,
  communicator: Communicator,
  onProgress: Execution["onProgress"],
  onLost: (reason: string) => void,
): Promise<RankSession> {
  const gpu = await openGpu(choice);
  void gpu.lost.then(onLost);
  const onLongWork = (): void => onProgress("drain", undefined);
  onLongWork();
  const source = await openSource({ seed, ...(data === undefined ? {} : { data }) }, given);
  const threadMs = createThreadClock();
  const host: ProgramHost = { gpu, communicator, threadMs, onProgress, source, onLongWork };
  const own = await openProgram(host, program, known);
  return {
    ...host,
    ...own,
    allocatedBytes: gpu.memory.bytes,
    openTwin: async (asked) => openTwin(host, own, asked),
    close() {
      communicator.close();
      gpu.close();
    },
  };
}
