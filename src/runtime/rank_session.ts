// One rank, open on its adapter: what the coordinator's requests become.

import type { Communicator } from "../collectives/communicator.ts";
import { calibrate, type Calibration } from "../gpu/calibrate.ts";
import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import { openGpu } from "../gpu/open.ts";
import { readBuffer } from "../gpu/read_back.ts";
import { createTimestamps } from "../gpu/timestamps.ts";
import type { RankTrace } from "../program/trace.ts";
import { allocateBuffers } from "./allocate.ts";
import { countPasses, type Execution, executeStep } from "./execute.ts";
import { checkProduct, emptyReport, isProduct, mergeReports } from "./freivalds.ts";
import type { ObservedBuffer, OpenRequest, RankObservation } from "./messages.ts";
import { prepareProgram } from "./prepare.ts";

export interface RankSession {
  readonly gpu: LogicalGpu;
  /** Bytes of the buffers that the program declares. */
  readonly allocatedBytes: number;
  step(): Promise<RankTrace>;
  observe(freivalds: boolean): Promise<RankObservation>;
  calibrate(): Promise<Calibration>;
  close(): void;
}

export async function openRankSession(
  { program, seed, choice }: OpenRequest,
  communicator: Communicator,
  onProgress: Execution["onProgress"],
  onLost: (reason: string) => void,
): Promise<RankSession> {
  const gpu = await openGpu(choice);
  void gpu.lost.then(onLost);
  const buffers = await allocateBuffers(gpu, program.rank, program.buffers, seed);
  const allocatedBytes = gpu.memory.bytes;
  const prepared = await prepareProgram(gpu, program, seed, buffers);
  const timestamps = await createTimestamps(gpu, Math.max(1, countPasses(prepared)));
  await gpu.device.queue.onSubmittedWorkDone();
  gpu.check();
  const execution: Execution = { gpu, prepared, communicator, timestamps, onProgress };

  const readAll = async (id: string): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(await readBuffer(gpu, prepared.buffer(id), prepared.declaration(id).bytes));

  return {
    gpu,
    allocatedBytes,

    step: async () => executeStep(execution),

    async observe(freivalds) {
      const observed: ObservedBuffer[] = [];
      let report = emptyReport;
      await executeStep(execution, {
        inspects: (instruction) =>
          instruction.op === "observe" || (freivalds && isProduct(instruction)),
        async inspect(instruction) {
          if (instruction.op === "kernel") {
            report = mergeReports(report, await checkProduct(instruction, readAll, Math.random));
          } else if (instruction.op === "observe") {
            const { layer, microBatch } = instruction.origin;
            const { observation, buffer } = instruction;
            observed.push({ layer, microBatch, observation, bytes: await readAll(buffer) });
          }
        },
      });
      return { rank: program.rank, observed, ...(freivalds ? { freivalds: report } : {}) };
    },

    async calibrate() {
      return calibrate(gpu);
    },

    close() {
      communicator.close();
      gpu.close();
    },
  };
}
