// What a program needs of an adapter's limits, before anything of it is allocated.

import { EnvironmentError } from "../environment_error.ts";
import { isResult } from "../program/observation.ts";
import type { BufferDeclaration, BufferRole, RankProgram } from "../program/program.ts";

type Limit = "maxBufferSize" | "maxStorageBufferBindingSize";

/** The way out, by what is too large. */
const ways: Readonly<Partial<Record<BufferRole, string>>> = {
  weight:
    "lower hardware.maxBinding of the plan, which cuts weights that are not trained, or split the layer over more ranks",
  activation:
    "use more micro-batches, a smaller batch or a shorter sequence, or split the layer over more ranks",
  cache: "use fewer or shorter requests, or split the layer over more ranks",
};
const anyWay =
  "split the layer over more ranks, use a smaller batch or f16, or choose an adapter with a higher limit";

/**
 * @param adapterId for the message
 * @throws EnvironmentError `buffer-over-limit` that names a buffer larger than an adapter has, or a tensor larger than it
 *   binds
 */
export function refuseOverLimits(
  { rank, buffers, instructions }: RankProgram,
  limits: Readonly<Partial<Record<Limit, number>>>,
  adapterId: string,
): void {
  const refuse = ({ id, role, bytes }: BufferDeclaration, limit: Limit, at = ""): never => {
    throw new EnvironmentError(
      "buffer-over-limit",
      `${role} "${id}" of rank ${rank}${at} needs ${bytes} bytes, adapter ${adapterId} allows ${limits[limit]} (${limit})`,
      ways[role] ?? anyWay,
    );
  };
  const { maxBufferSize = Infinity, maxStorageBufferBindingSize = Infinity } = limits;
  const large = new Map(
    buffers.flatMap((declared) => {
      if (declared.within === undefined && declared.bytes > maxBufferSize) {
        refuse(declared, "maxBufferSize");
      }
      const isBound = declared.bytes <= maxStorageBufferBindingSize;
      return isBound ? [] : [[declared.id, declared] as const];
    }),
  );
  if (large.size === 0) return;
  for (const instruction of instructions) {
    const isDigested = instruction.op === "observe" && isResult(instruction.observation);
    const bound =
      instruction.op === "kernel" ? instruction.buffers : isDigested ? [instruction.buffer] : [];
    for (const id of bound) {
      const declared = large.get(id);
      const { layer } = instruction.origin;
      if (declared !== undefined) refuse(declared, "maxStorageBufferBindingSize", `, in ${layer},`);
    }
  }
}
