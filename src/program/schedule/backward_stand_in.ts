// What runs in backward slots until there is a training step: a stand-in of about its cost, never its
// result. Each matrix product and attention of the stage runs twice more on what its forward pass kept, as
// many FLOPs as the gradients of input and weights need, into memory that nobody reads; then as many bytes
// as the forward pass brought go back to the stage before. Reductions of gradients are left out.

import { bytesPerElement } from "../../kernels/storage.ts";
import { bytesOf, type Builder } from "../builder.ts";
import {
  collectiveOf,
  type Collective,
  type Instruction,
  type KernelInstruction,
  type Origin,
} from "../program.ts";
import type { Places } from "./place.ts";

export interface BackwardRecorder {
  /** To be told of every forward instruction of one micro-batch, with the buffers that it really uses. */
  see(rank: number, instruction: Instruction): void;
  /** Emits the backward slots of what was seen, the last stage first, and forgets it. */
  emit(): void;
}

/** A gradient on its way back. */
interface Return {
  readonly name: string;
  readonly origin: Origin;
  readonly from: number;
  readonly to: number;
  /** Elements: as many as `to` gave in the forward pass. */
  readonly count: number;
}

interface StageWork {
  /** By rank, in order of the forward pass. */
  readonly products: Map<number, KernelInstruction[]>;
  /** To the stage before. */
  readonly returns: Return[];
}

export const recordBackward = (
  builder: Builder,
  places: Places,
  stages: number,
): BackwardRecorder => {
  const noWork = () =>
    Array.from({ length: stages }, (): StageWork => ({ products: new Map(), returns: [] }));
  let work = noWork();

  return {
    see(rank, instruction) {
      const { origin } = instruction;
      if (instruction.op === "kernel" && resultShape(instruction) !== undefined) {
        const own = work[places.stageOf(rank, origin)]?.products;
        const before = own?.get(rank);
        if (before === undefined) own?.set(rank, [instruction]);
        else before.push(instruction);
        return;
      }
      const transfer = collectiveOf(instruction);
      if (transfer !== undefined && transfer.op !== "recv") {
        const { from, to, name } = transfer;
        const i = from.indexOf(rank);
        const giver = places.stageOf(rank, origin);
        const reader = to[i % to.length];
        if (i < 0 || reader === undefined || places.stageOf(reader, origin) === giver) return;
        work[places.stageOf(reader, origin)]?.returns.push({
          name: `${name}/gradient ${reader}-${rank}`,
          origin,
          from: reader,
          to: rank,
          count: givenBy(transfer, i),
        });
      }
    },
    emit() {
      const backwardOf = createBackward();
      for (const { products, returns } of work.toReversed()) {
        for (const [rank, own] of products) {
          for (const product of own.toReversed()) repeat(builder, rank, product, backwardOf);
        }
        for (const each of returns) giveBack(builder, each, backwardOf);
      }
      work = noWork();
    },
  };
};

/** Rows and columns of what a product writes; undefined for other kernels. */
const resultShape = ({ kernel, shape }: KernelInstruction): number[] | undefined => {
  switch (kernel) {
    case "matmul":
      return [shape.m, shape.n];
    case "grouped_matmul":
      return [shape.rows, shape.n];
    case "attention":
      return [shape.batch * shape.sequence, shape.heads * shape.headDim];
    default:
      return undefined;
  }
};

type BackwardOf = (origin: Origin) => Origin;

/** One record for all ranks of a layer. */
const createBackward = (): BackwardOf => {
  const known = new Map<Origin, Origin>();
  return (origin) => {
    const backward = known.get(origin) ?? { ...origin, phase: "backward", standIn: true };
    known.set(origin, backward);
    return backward;
  };
};

const repeat = (
  builder: Builder,
  rank: number,
  product: KernelInstruction,
  backwardOf: BackwardOf,
): void => {
  const bytes = bytesOf(resultShape(product) ?? [], product.dtype);
  const buffers = [...product.buffers.slice(0, -1), builder.workspace(rank, bytes)];
  const standIn = { ...product, buffers, origin: backwardOf(product.origin) };
  for (let time = 0; time < 2; time++) builder.emit(rank, standIn);
};

const giveBack = (
  builder: Builder,
  { name, origin, from, to, count }: Return,
  backwardOf: BackwardOf,
): void => {
  const bytes = count * bytesPerElement(builder.dtype);
  const common = {
    origin: backwardOf(origin),
    name,
    channel: builder.channel(name),
    dtype: builder.dtype,
    from: [from],
    to: [to],
    count,
  };
  const send = builder.workspace(from, bytes);
  builder.staging(from, bytes);
  builder.emit(from, { op: "send", ...common, send });
  builder.emit(to, { op: "recv", ...common, receive: builder.workspace(to, bytes) });
};

/** Elements that member i of `from` contributes. */
const givenBy = (transfer: Collective, i: number): number => {
  const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);
  switch (transfer.op) {
    case "all-reduce":
    case "reduce":
    case "broadcast":
    case "send":
    case "recv":
      return transfer.count;
    case "all-gather":
    case "gather":
      return transfer.counts[i] ?? 0;
    case "reduce-scatter":
    case "scatter":
      return sum(transfer.counts);
    case "all-to-all":
      return sum(transfer.counts[i] ?? []);
    case "expert-dispatch":
    case "expert-combine":
      throw new Error(`${transfer.name}: experts do not leave their stage`);
  }
};
