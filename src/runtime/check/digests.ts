// Sums over all steps of what each micro-batch's result was, made on the GPU as part of every step: timed steps have no
// others, and leave nothing else of all but the last micro-batch. What they cost is one read of the result.

import type { BufferRegion } from "../../collectives/buffer_region.ts";
import type { LogicalGpu, PreparedKernel } from "../../gpu/logical_gpu.ts";
import type { Digest } from "../../kernels/digest.ts";
import { isResult, type Observation } from "../../program/observation.ts";
import type { RankProgram } from "../../program/program.ts";
import { createDigestSums } from "./digest_sums.ts";

export interface Digests {
  /** By index of the instruction that shows a result. */
  readonly kernels: ReadonlyMap<number, PreparedKernel>;
  /** Sets all sums to 0. */
  clear(): void;
  read(): Promise<ResultDigest[]>;
}

/** Of one result of one micro-batch, summed up over steps. */
export interface ResultDigest {
  readonly layer: string;
  readonly microBatch: number;
  readonly observation: Observation;
  readonly sums: Digest;
}

export async function createDigests(
  gpu: LogicalGpu,
  { rank, instructions }: RankProgram,
  region: (id: string) => BufferRegion,
  onProgress: () => void,
): Promise<Digests> {
  const results = [...instructions.entries()].flatMap(([index, instruction]) =>
    instruction.op === "observe" && isResult(instruction.observation)
      ? [{ index, instruction }]
      : [],
  );
  const sums = await createDigestSums(
    gpu,
    `rank ${rank} digests`,
    results.map(({ instruction }) => region(instruction.buffer)),
    onProgress,
  );
  return {
    kernels: new Map(
      results.flatMap(({ index }, place) => {
        const kernel = sums.kernels[place];
        return kernel === undefined ? [] : [[index, kernel]];
      }),
    ),
    clear: () => sums.clear(),
    async read() {
      const found = await sums.read();
      return results.map(({ instruction: { origin, observation } }, place) => ({
        layer: origin.layer,
        microBatch: origin.microBatch,
        observation,
        sums: found[place] ?? [0, 0],
      }));
    },
  };
}
