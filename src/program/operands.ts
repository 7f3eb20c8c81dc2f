// Which tensors an op reads and which it writes: all of them, and on each of its ranks; and how much a transfer takes.

import { readByGradient, writtenByGradient } from "./gradient_operands.ts";
import type { NewOp, Op } from "./op.ts";
import type { PermuteOp, UnpermuteOp } from "./expert_op.ts";
import { isRingOp, readInRing, writtenInRing } from "./ring_op.ts";
import type { CollectiveOp, Transfer } from "./transfer_op.ts";
import type { Tensor, View } from "./tensor.ts";

/** The tensors that an op reads. */
export function readBy(op: NewOp): readonly Tensor[] {
  if (isRingOp(op)) return readInRing(op);
  switch (op.op) {
    case "input":
    case "done":
      return [];
    case "copy":
    case "aggregate":
    case "slice-columns":
    case "gather-columns":
    case "softmax":
      return [op.x];
    case "observe":
      return [op.x.tensor];
    case "matmul":
      return [op.x.tensor, op.w, ...biasOf(op), ...tensorsOf(op.gate, op.rowGate, op.residual)];
    case "grouped-matmul":
      return [op.x.tensor, op.w, ...biasOf(op), op.offsets, ...tensorsOf(op.gate, op.residual)];
    case "activation":
      return [op.x.tensor, ...tensorsOf(op.gate), ...present(op.offsets)];
    case "attention":
      return present(op.qkv, op.values?.v, op.sinks);
    case "attention-scores":
      return [op.qkv];
    case "attention-values":
      return [op.weights, op.values?.v ?? op.qkv];
    case "append-cache":
      return [op.left.x, op.right.x, op.spans, op.pages];
    case "attend-cache":
      return [op.q, op.spans, op.pages, op.cache];
    case "combine-attention":
      return present(op.partials, op.spans, op.sinks);
    case "rotary":
      return present(
        op.x,
        op.turn?.rotations,
        op.spans,
        op.norm?.gains,
        op.norm?.squares,
        op.latent?.kv,
        op.latent?.down,
      );
    case "mean-squares":
      return [op.x];
    case "head-matmul":
      return [op.x, op.w];
    case "causal-conv":
      return [op.x, op.w];
    case "gated-delta":
      return [op.x, op.update, op.step, op.rates];
    case "norm": {
      const summands = op.sumOf === undefined ? [op.x] : op.sumOf;
      return [...tensorsOf(...summands), op.gain, ...biasOf(op)];
    }
    case "add":
      return [op.a.tensor, op.b.tensor];
    case "embedding":
      return present(op.ids, op.table, op.positions?.table, op.spans);
    case "gather-rows":
      return [op.x, op.ids];
    case "top-logits":
      return [op.logits];
    case "route":
      return [op.logits, ...(op.correction === undefined ? [] : [op.correction])];
    case "route-positions":
      return [op.ids];
    case "permute":
      return [op.x, op.ids, op.positions, op.offsets, ...weightsOf(op)];
    case "unpermute":
      return [op.x, op.ids, op.positions, op.offsets, op.kept, ...weightsOf(op)];
    case "collective":
      return [op.x.tensor];
    case "expert-dispatch":
      return [op.x, op.counts];
    case "expert-combine":
      return [op.x];
    default:
      return readByGradient(op);
  }
}

/** The tensors that an op writes. */
export function writtenBy(op: NewOp): readonly Tensor[] {
  if (isRingOp(op)) return writtenInRing(op);
  switch (op.op) {
    case "observe":
    case "done":
      return [];
    case "input":
    case "copy":
    case "attention":
    case "attention-scores":
    case "softmax":
    case "attention-values":
    case "combine-attention":
    case "rotary":
    case "mean-squares":
    case "head-matmul":
    case "top-logits":
    case "causal-conv":
    case "gated-delta":
    case "aggregate":
    case "embedding":
    case "gather-rows":
    case "slice-columns":
    case "permute":
    case "expert-combine":
      return [op.y];
    case "matmul":
    case "grouped-matmul":
    case "activation":
    case "add":
    case "gather-columns":
    case "unpermute":
    case "collective":
      return [op.y.tensor];
    case "append-cache":
      return [op.cache];
    case "attend-cache":
      return [op.partials];
    case "norm":
      return [op.y.tensor, ...tensorsOf(op.sumOf === undefined ? undefined : op.x)];
    case "route":
      return [op.ids, op.weights];
    case "route-positions":
      return [op.positions, op.counts, op.offsets];
    case "expert-dispatch":
      return [op.y, op.kept, op.offsets];
    default:
      return writtenByGradient(op);
  }
}

function biasOf({ bias }: { readonly bias?: Tensor }): Tensor[] {
  return bias === undefined ? [] : [bias];
}

function weightsOf({
  isWeighted,
  weights,
}: Pick<PermuteOp | UnpermuteOp, "isWeighted" | "weights">): Tensor[] {
  return isWeighted ? [weights] : [];
}

function present(...tensors: readonly (Tensor | undefined)[]): Tensor[] {
  return tensors.flatMap((tensor) => tensor ?? []);
}

function tensorsOf(...views: readonly (View | undefined)[]): Tensor[] {
  return views.flatMap((view) => (view === undefined ? [] : [view.tensor]));
}

/** The same op on other tensors. */
export function mapTensors(op: Op, of: (tensor: Tensor) => Tensor): Op {
  const mapped = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.some(isView) ? value.map(mapped) : value;
    if (isTensor(value)) return of(value);
    return holdsTensors(value) ? mapEntries(value, mapped) : value;
  };
  return mapEntries(op, mapped);
}

function mapEntries<Entries extends object>(
  entries: Entries,
  of: (value: unknown) => unknown,
): Entries {
  const changed = { ...entries };
  for (const [key, value] of Object.entries(entries)) Object.assign(changed, { [key]: of(value) });
  return changed;
}

/** A view, or what an op says of a tensor besides. */
function holdsTensors(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.values(value).some(isTensor);
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "parts" in value && "role" in value;
}

function isView(value: unknown): value is View {
  return typeof value === "object" && value !== null && "tensor" in value && isTensor(value.tensor);
}

export interface Touched {
  readonly read: readonly Tensor[];
  readonly written: readonly Tensor[];
}

export function touchedOn(op: Op, rank: number): Touched {
  switch (op.op) {
    case "collective":
    case "expert-dispatch":
    case "expert-combine":
      return touchedByTransfer(op, rank);
    default:
      return { read: readBy(op), written: writtenBy(op) };
  }
}

function touchedByTransfer(op: Transfer, rank: number): Touched {
  const sends = op.from.includes(rank);
  const receives = op.to.includes(rank);
  if (op.op === "collective") {
    return { read: sends ? [op.x.tensor] : [], written: receives ? [op.y.tensor] : [] };
  }
  const isDispatch = op.op === "expert-dispatch";
  return {
    read: sends ? [op.x, ...(isDispatch ? [op.counts] : [])] : [],
    written: [
      ...(receives ? [op.y, ...(isDispatch ? [op.offsets] : [])] : []),
      ...(sends && isDispatch ? [op.kept] : []),
    ],
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

/** Elements that member i of `from` contributes. */
export function givenBy({ amount }: Pick<CollectiveOp, "amount">, i: number): number {
  switch (amount.kind) {
    case "all-reduce":
    case "broadcast":
    case "send":
      return amount.count;
    case "all-gather":
      return amount.counts[i] ?? 0;
    case "reduce-scatter":
      return sum(amount.counts);
    case "all-to-all":
      return sum(amount.counts[i] ?? []);
  }
}
