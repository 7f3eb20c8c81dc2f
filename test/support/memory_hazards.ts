// What a program does to its own memory, followed instruction by instruction: whether a result is still there when it is
// read, and whether what is bound together may be.

import { kernelOf } from "../../src/kernels/catalog.ts";
import { reduces } from "../../src/program/exchange/sums.ts";
import { bindingsOf } from "../../src/kernels/kernel.ts";
import {
  collectiveOf,
  type Instruction,
  type KernelInstruction,
  type Program,
  type RankProgram,
} from "../../src/program/program.ts";
import { describeInstruction } from "../../src/program/describe_instruction.ts";

interface Extent {
  /** The buffer that has memory of its own. */
  readonly root: string;
  readonly start: number;
  readonly end: number;
  /** Whose memory it is: the tensor that a window is of. */
  readonly owner: string;
}

interface Touched {
  readonly read: readonly Extent[];
  readonly written: readonly Extent[];
}

/** Of all ranks, each in a sentence; none of a program that is sound. */
export function memoryHazards(program: Program): string[] {
  return program.ranks.flatMap((rank) => hazardsOn(rank));
}

function hazardsOn(program: RankProgram): string[] {
  const extentOf = extentsOf(program);
  const owned = new Map<string, Extent[]>();
  const underWay = new Map<number, Touched>();
  const found: string[] = [];
  for (const instruction of program.instructions) {
    const note = (what: string): void =>
      void found.push(`rank ${program.rank}: ${what}: ${describeInstruction(instruction)}`);
    const touched =
      instruction.op === "done"
        ? (underWay.get(instruction.channel) ?? { read: [], written: [] })
        : touchedBy(instruction, extentOf);
    if (instruction.op === "done") underWay.delete(instruction.channel);
    for (const other of underWay.values()) {
      if (overlapAny(touched.written, [...other.read, ...other.written])) {
        note("written while it is on its way");
      }
      if (overlapAny(touched.read, other.written)) note("read before it has come");
    }
    for (const extent of instruction.op === "done" ? [] : touched.read) {
      if (!isOwn(extent, owned.get(extent.root) ?? [])) note(`${extent.owner} is no longer there`);
    }
    for (const extent of touched.written) {
      owned.set(extent.root, claimed(owned.get(extent.root) ?? [], extent));
    }
    if (instruction.op === "start") underWay.set(instruction.transfer.channel, touched);
    if (instruction.op === "kernel") for (const each of bound(instruction, extentOf)) note(each);
    if (isCopiedWithin(instruction, program.rank, extentOf)) note("copied within a buffer");
  }
  return found;
}

function extentsOf({ buffers }: RankProgram): (id: string) => Extent {
  const byId = new Map(buffers.map((buffer) => [buffer.id, buffer]));
  return (id) => {
    let [at, start] = [byId.get(id), 0];
    const bytes = at?.bytes ?? 0;
    while (at?.within !== undefined) {
      start += at.within.offset;
      at = byId.get(at.within.buffer);
    }
    if (at === undefined) throw new Error(`no buffer ${id}`);
    // Windows are called after what they are of, with their rows behind it, and columns.
    return {
      root: at.id,
      start,
      end: start + bytes,
      owner: id.replace(/@\d+\+\d+(,\d+\+\d+\/\d+)?$/, ""),
    };
  };
}

function touchedBy(instruction: Instruction, extentOf: (id: string) => Extent): Touched {
  const all = (...ids: readonly (string | undefined)[]): Extent[] =>
    ids.flatMap((id) => (id === undefined ? [] : extentOf(id)));
  switch (instruction.op) {
    case "kernel": {
      const bindings = bindingsOf(kernelOf(instruction), instruction.shape);
      const ids = (isOf: (at: number) => boolean): string[] =>
        instruction.buffers.filter((_, at) => isOf(at));
      return {
        read: all(
          ...ids((at) => bindings[at]?.access === "read" || bindings[at]?.isAccumulated === true),
        ),
        written: all(...ids((at) => bindings[at]?.access !== "read")),
      };
    }
    case "copy": {
      const part = (id: string, offset: number): Extent => {
        const whole = extentOf(id);
        const start = whole.start + offset;
        return { ...whole, start, end: start + instruction.bytes };
      };
      return {
        read: [part(instruction.source, instruction.sourceOffset)],
        written: [part(instruction.target, instruction.targetOffset)],
      };
    }
    case "input":
      return { read: [], written: all(instruction.buffer) };
    case "observe":
      return { read: all(instruction.buffer), written: [] };
    default: {
      const transfer = collectiveOf(instruction);
      if (transfer === undefined) return { read: [], written: [] };
      const { send, receive } = transfer;
      const isDispatch = transfer.op === "expert-dispatch";
      return {
        read: all(send, isDispatch ? transfer.counts : undefined),
        written: all(receive, ...(isDispatch ? [transfer.kept, transfer.offsets] : [])),
      };
    }
  }
}

/** What WebGPU asks of a dispatch: what it writes overlaps nothing, nor does what it reads beside that in one buffer. */
function bound(instruction: KernelInstruction, extentOf: (id: string) => Extent): string[] {
  const bindings = bindingsOf(kernelOf(instruction), instruction.shape);
  const all = bindings.map((binding, at) => ({
    binding,
    extent: extentOf(instruction.buffers[at] ?? ""),
  }));
  const written = new Set(
    all.flatMap(({ binding, extent }) => (binding.access === "read" ? [] : extent.root)),
  );
  const beside = all.filter(({ extent }) => written.has(extent.root));
  return beside.flatMap(({ binding, extent }, i) => [
    ...(binding.isUniform === true ? [`${binding.name} has to be read-only`] : []),
    ...beside
      .slice(0, i)
      .flatMap((other) =>
        overlapAny([extent], [other.extent])
          ? [`${binding.name} overlaps ${other.binding.name}`]
          : [],
      ),
  ]);
}

/** Whether something stays on the rank, at another place of its buffer, and goes through no other on its way. */
function isCopiedWithin(
  instruction: Instruction,
  rank: number,
  extentOf: (id: string) => Extent,
): boolean {
  const transfer = collectiveOf(instruction);
  const [from, to, through] =
    instruction.op === "copy"
      ? [instruction.source, instruction.target, instruction.through]
      : [transfer?.send, transfer?.receive, transfer?.through];
  if (from === undefined || to === undefined || from === to) return false;
  if (transfer !== undefined) {
    const keeps = transfer.from.includes(rank) && transfer.to.includes(rank);
    if (!keeps || (reduces(transfer) && transfer.from.length > 1)) return false;
  }
  const { root } = extentOf(from);
  if (root !== extentOf(to).root) return false;
  return through === undefined || extentOf(through).root === root;
}

function overlapAny(some: readonly Extent[], others: readonly Extent[]): boolean {
  return some.some((a) =>
    others.some((b) => a.root === b.root && a.start < b.end && b.start < a.end),
  );
}

/** Of what tensors take in turn: whether all of it was written last as a part of its own tensor. */
function isOwn(extent: Extent, owned: readonly Extent[]): boolean {
  if (extent.root === extent.owner) return true;
  const own = owned.filter(({ owner }) => owner === extent.owner);
  let at = extent.start;
  for (const { start, end } of own.toSorted((a, b) => a.start - b.start)) {
    if (start <= at) at = Math.max(at, end);
  }
  return at >= extent.end;
}

function claimed(owned: readonly Extent[], extent: Extent): Extent[] {
  const rest = owned.flatMap((each) => [
    ...(each.start < extent.start ? [{ ...each, end: Math.min(each.end, extent.start) }] : []),
    ...(each.end > extent.end ? [{ ...each, start: Math.max(each.start, extent.end) }] : []),
  ]);
  return [...rest, extent];
}
