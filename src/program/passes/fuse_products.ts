// What follows a product becomes a part of it, where nothing else reads the product: an activation with its gate, then
// a residual. One launch and two passes over memory less each.

import {
  type ActivationOp,
  type AddOp,
  type GroupedMatmulOp,
  type MatmulOp,
  type Op,
} from "../op.ts";
import { writtenBy } from "../operands.ts";
import { sameRanks, type Tensor } from "../tensor.ts";
import { countReads } from "./count_reads.ts";

type Product = MatmulOp | GroupedMatmulOp;

/** @throws Error where an activation cannot be part of a product: no kernel does it alone */
export function fuseProducts(ops: readonly Op[]): Op[] {
  return fuseResiduals(fuseActivations(ops));
}

function fuseActivations(ops: readonly Op[]): Op[] {
  const readsOf = countReads(ops);
  const written = createWritten();
  const fused: Op[] = [];
  const products = new Map<Tensor, number>();
  for (const op of ops) {
    if (op.op === "activation") {
      const at = products.get(op.x.tensor) ?? -1;
      const product = fused[at];
      const isAlone = op.ranks.every((rank) => readsOf(op.x.tensor, rank) === 1);
      const isThere = op.gate === undefined || written.isBefore(op.gate.tensor, at);
      if (product === undefined || !isProduct(product) || !isAlone || !isThere) {
        throw new Error(`${op.origin.layer}: an activation that is no part of a product`);
      }
      fused[at] = withActivation(product, op);
      written.note(op, at);
      continue;
    }
    if (isProduct(op)) products.set(op.y.tensor, fused.length);
    written.note(op, fused.length);
    fused.push(op);
  }
  return fused;
}

/** Where each buffer was written last, by name. */
function createWritten() {
  const writtenAt = new Map<string, number>();
  return {
    note(op: Op, at: number): void {
      for (const { name } of writtenBy(op)) writtenAt.set(name, at);
    },
    /** Also of what no op writes. */
    isBefore: ({ name }: Tensor, at: number): boolean => (writtenAt.get(name) ?? -1) < at,
  };
}

function withActivation(product: Product, { activation, cap, gate, y }: ActivationOp): Product {
  return {
    ...product,
    activation,
    ...(cap === undefined ? {} : { cap }),
    ...(gate === undefined ? {} : { gate }),
    y,
  };
}

/**
 * What a product gives is written with the sum already made.
 *
 * @param isTrained whether what a gate of rows makes of a product stays, for the gate's gradient
 */
export function fuseResiduals(ops: readonly Op[], isTrained = false): Op[] {
  const readsOf = countReads(ops);
  const fused: Op[] = [];
  const products = new Map<Tensor, number>();
  const written = createWritten();
  for (const op of ops) {
    if (op.op === "add") {
      const at = products.get(op.a.tensor) ?? -1;
      const product = fused[at];
      if (
        product?.op === "matmul" &&
        written.isBefore(op.b.tensor, at) &&
        !(isTrained && product.rowGate !== undefined) &&
        takes(product, op, readsOf)
      ) {
        fused[at] = withResidual(product, op);
        written.note(op, at);
        continue;
      }
    }
    if (op.op === "matmul") products.set(op.y.tensor, fused.length);
    written.note(op, fused.length);
    fused.push(op);
  }
  return fused;
}

function withResidual(product: MatmulOp, { scale, b, y }: AddOp): MatmulOp {
  return {
    ...product,
    ...(scale === undefined ? {} : { scale: (product.scale ?? 1) * scale }),
    residual: b,
    y,
  };
}

/** Whether nobody wants the product by itself, and it is nothing but a product where the sum scales it. */
function takes(
  { residual, activation, bias, gate, rowGate, ranks }: MatmulOp,
  { a, scale, ranks: summed }: AddOp,
  readsOf: (tensor: Tensor, rank: number) => number,
): boolean {
  return (
    residual === undefined &&
    (scale === undefined ||
      (activation === "none" && [bias, gate, rowGate].every((each) => each === undefined))) &&
    sameRanks(ranks, summed) &&
    ranks.every((rank) => readsOf(a.tensor, rank) === 1)
  );
}

function isProduct(op: Op): op is Product {
  return op.op === "matmul" || op.op === "grouped-matmul";
}
