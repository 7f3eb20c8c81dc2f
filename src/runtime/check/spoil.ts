// Between steps, timed or not, one element of each buffer that the program writes is set to what it cannot hold. A step
// writes it again; one that leaves out an instruction, whose right result of the step before would still be
// there, does not, and its digest differs.

import type { LogicalGpu } from "../../gpu/logical_gpu.ts";
import type { DType } from "../../kernels/storage.ts";
import type { RankProgram } from "../../program/program.ts";
import type { PreparedProgram } from "../prepare.ts";
import { writtenBuffers } from "./poison.ts";

/**
 * Large, positive and finite, so that no activation and no norm swallows it; two in a word of halves. Indices and
 * counts become 0: whatever reads them stays within its memory.
 */
const spoilt: Readonly<Record<DType, Uint32Array<ArrayBuffer>>> = {
  f32: new Uint32Array(Float32Array.of(30_000).buffer),
  f16: Uint32Array.of(0x7753_7753),
  u32: Uint32Array.of(0),
};

/** Each call puts writes into the GPU's queue, to be done before what is submitted later. */
export function createSpoiler(
  gpu: LogicalGpu,
  program: RankProgram,
  { region, declaration }: Pick<PreparedProgram, "region" | "declaration">,
): () => void {
  const ids = new Set(
    program.instructions.flatMap(writtenBuffers).map((id) => declaration(id).within?.buffer ?? id),
  );
  const targets = [...ids].map((id) => ({ ...region(id), word: spoilt[declaration(id).dtype] }));
  const { queue } = gpu.device;
  return () => {
    for (const { buffer, offset, size, word } of targets) {
      queue.writeBuffer(buffer, offset + 4 * Math.floor((Math.random() * size) / 4), word);
    }
  };
}
