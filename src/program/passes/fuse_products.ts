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

/** @throws Error where an activation follows no product: no kernel does it alone */
export const fuseProducts = (ops: readonly Op[]): Op[] => fuseResiduals(fuseActivations(ops));

function fuseActivations(ops: readonly Op[]): Op[] {
  const fused: Op[] = [];
  const products = new Map<Tensor, number>();
  for (const op of ops) {
    if (op.op === "activation") {
      const at = products.get(op.x.tensor) ?? -1;
      const product = fused[at];
      if (product === undefined || !isProduct(product)) {
        throw new Error(`${op.origin.layer}: an activation of what is no product`);
      }
      fused[at] = withActivation(product, op);
      continue;
    }
    if (isProduct(op)) products.set(op.y.tensor, fused.length);
    fused.push(op);
  }
  return fused;
}

const withActivation = (product: Product, { activation, gate, y }: ActivationOp): Product => ({
  ...product,
  activation,
  ...(gate === undefined ? {} : { gate }),
  y,
});

/** What a product gives is written with the sum already made. */
function fuseResiduals(ops: readonly Op[]): Op[] {
  const readsOf = countReads(ops);
  const fused: (Op | undefined)[] = [];
  const products = new Map<Tensor, number>();
  /** Where each buffer was written last, by name. */
  const writtenAt = new Map<string, number>();
  for (const op of ops) {
    if (op.op === "add") {
      const at = products.get(op.a.tensor) ?? -1;
      const product = fused[at];
      const isThere = (writtenAt.get(op.b.tensor.name) ?? -1) < at;
      if (product?.op === "matmul" && isThere && takes(product, op, readsOf)) {
        fused[at] = { ...product, residual: op.b, y: op.y };
        continue;
      }
    }
    if (op.op === "matmul") products.set(op.y.tensor, fused.length);
    for (const { name } of writtenBy(op)) writtenAt.set(name, fused.length);
    fused.push(op);
  }
  return fused.flatMap((op) => op ?? []);
}

/** Whether nobody wants the product by itself. */
const takes = (
  { residual, ranks }: MatmulOp,
  { a, ranks: summed }: AddOp,
  readsOf: (tensor: Tensor, rank: number) => number,
): boolean =>
  residual === undefined &&
  sameRanks(ranks, summed) &&
  ranks.every((rank) => readsOf(a.tensor, rank) === 1);

const isProduct = (op: Op): op is Product => op.op === "matmul" || op.op === "grouped-matmul";
