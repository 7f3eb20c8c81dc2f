// What a rank's memory holds while a step goes on: of each buffer, from where it is written to where it is last read.

import { bindingsOf } from "../kernels/kernel.ts";
import { kernelOf } from "../kernels/catalog.ts";
import {
  type BufferDeclaration,
  type BufferRole,
  collectiveOf,
  type Instruction,
  type RankProgram,
} from "./program.ts";

export type LiveBytes = Readonly<Partial<Record<BufferRole, number>>>;

/** Roles whose buffers hold nothing between two uses of them; all others keep what they hold. */
const passing: ReadonlySet<BufferRole> = new Set(["input", "activation", "workspace"]);

/** Bytes in use by role, at each instruction in order. */
export function liveMemory({ buffers, instructions }: RankProgram): LiveBytes[] {
  const declared = new Map(buffers.map((buffer) => [buffer.id, buffer]));
  const lasting: Partial<Record<BufferRole, number>> = {};
  for (const { role, bytes, within } of buffers) {
    if (!passing.has(role) && within === undefined) lasting[role] = (lasting[role] ?? 0) + bytes;
  }
  const bytesOf = (id: string): number => declared.get(id)?.bytes ?? 0;
  const live = new Set<BufferDeclaration>();
  const found: LiveBytes[] = [];
  const uses = instructions.map((instruction) => usesOf(instruction, bytesOf));
  const first = new Map<string, number>();
  for (const [at, { reads, writes, keeps }] of uses.entries()) {
    for (const id of [...reads, ...writes, ...keeps]) if (!first.has(id)) first.set(id, at);
  }
  for (const [at, { reads, writes, keeps }] of [...uses.entries()].toReversed()) {
    const ofIds = (ids: readonly string[]): BufferDeclaration[] =>
      ids.flatMap((id) => {
        const buffer = declared.get(id);
        return buffer === undefined || !passing.has(buffer.role) ? [] : [buffer];
      });
    const used = ofIds([...reads, ...writes, ...keeps]);
    found.push(sum([...new Set([...live, ...used])], lasting));
    for (const buffer of ofIds(writes)) live.delete(buffer);
    for (const buffer of ofIds([...reads, ...keeps])) {
      // Nothing of a step before is of use.
      if (first.get(buffer.id) === at) live.delete(buffer);
      else live.add(buffer);
    }
  }
  return found.toReversed();
}

function sum(buffers: readonly BufferDeclaration[], lasting: LiveBytes): LiveBytes {
  const bytes: Partial<Record<BufferRole, number>> = { ...lasting };
  for (const { role, bytes: own } of buffers) bytes[role] = (bytes[role] ?? 0) + own;
  return bytes;
}

interface Uses {
  readonly reads: readonly string[];
  /** Whole: what was there before is of no use any more. */
  readonly writes: readonly string[];
  /** In part: what was there before stays. */
  readonly keeps: readonly string[];
}

function usesOf(instruction: Instruction, bytesOf: (id: string) => number): Uses {
  switch (instruction.op) {
    case "kernel": {
      const { shape, buffers } = instruction;
      const bound = bindingsOf(kernelOf(instruction), shape).map((binding, i) => ({
        ...binding,
        id: buffers[i] ?? "",
      }));
      const idsWhere = (isWanted: (binding: (typeof bound)[number]) => boolean): string[] =>
        bound.filter(isWanted).map(({ id }) => id);
      return {
        reads: idsWhere(({ access }) => access === "read"),
        writes: idsWhere(({ access, isUpdated }) => access !== "read" && isUpdated !== true),
        keeps: idsWhere(({ isUpdated }) => isUpdated === true),
      };
    }
    case "copy":
      return {
        reads: [instruction.source],
        ...(instruction.bytes === bytesOf(instruction.target)
          ? { writes: [instruction.target], keeps: [] }
          : { writes: [], keeps: [instruction.target] }),
      };
    case "input":
      return { reads: [], writes: [instruction.buffer], keeps: [] };
    case "observe":
      return { reads: [], writes: [], keeps: [] };
    default: {
      const transfer = collectiveOf(instruction);
      const ofDispatch =
        transfer?.op === "expert-dispatch"
          ? { reads: [transfer.counts], writes: [transfer.kept, transfer.offsets] }
          : { reads: [], writes: [] };
      const present = (ids: readonly (string | undefined)[]): string[] =>
        ids.filter((id) => id !== undefined);
      return {
        reads: present([transfer?.send, ...ofDispatch.reads]),
        writes: present([transfer?.receive, transfer?.workspace, ...ofDispatch.writes]),
        keeps: [],
      };
    }
  }
}
