// Another program of a rank, which does the same work in another way, such as without overlap: on the same GPU, with
// the same weights and, where they are alike, the same compiled kernels.

import { isDeepStrictEqual } from "node:util";
import { EnvironmentError } from "../environment_error.ts";
import type { BufferDeclaration, RankProgram } from "../program/program.ts";
import { writtenBuffers } from "./check/poison.ts";
import {
  type OpenProgram,
  openProgram,
  type ProgramHost,
  type ProgramSession,
} from "./open_program.ts";
import type { Asked } from "./protocol.ts";

/** Its memory is not the plan's and counts nowhere. Undefined where the GPU has none left for it. */
export async function openTwin(
  host: ProgramHost,
  own: Pick<OpenProgram, "prepared" | "buffers">,
  { program, known }: Asked<"openTwin">,
): Promise<ProgramSession | undefined> {
  const held = heldBuffers(own.prepared().program, program, own.buffers);
  // No instruction is named while it runs: they are not those of the rank's own program.
  const quiet: ProgramHost = {
    ...host,
    onProgress: (activity) => host.onProgress(activity, undefined),
  };
  try {
    const twin = await host.gpu.apart(async () => openProgram(quiet, program, known, held));
    return { ...quiet, ...twin };
  } catch (error) {
    if (error instanceof EnvironmentError && error.code === "out-of-memory") return undefined;
    throw error;
  }
}

/** By id of the twin's: those that hold the same from the beginning to the end. */
function heldBuffers(
  own: RankProgram,
  twin: RankProgram,
  buffers: ReadonlyMap<string, GPUBuffer>,
): Map<string, GPUBuffer> {
  const written = new Set([own, twin].flatMap((one) => one.instructions.flatMap(writtenBuffers)));
  const byId = new Map(own.buffers.map((declared) => [declared.id, declared]));
  const held = new Map<string, GPUBuffer>();
  for (const declared of twin.buffers) {
    const buffer = buffers.get(declared.id);
    if (buffer === undefined || written.has(declared.id)) continue;
    if (isSame(declared, byId.get(declared.id))) held.set(declared.id, buffer);
  }
  return held;
}

function isSame(one: BufferDeclaration, other: BufferDeclaration | undefined): boolean {
  return one.content !== undefined && one.within === undefined && isDeepStrictEqual(one, other);
}
