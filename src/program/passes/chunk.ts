// Communication beside computation: a product that nobody reads but the collective that it is computed for is computed
// in blocks of rows, and each block is on its way while the next is computed. Layers that choose rows by their content,
// as experts do, say their blocks themselves.

import type { GatherColumnsOp, MatmulOp, NewOp, Op } from "../op.ts";
import type { CollectiveOp } from "../transfer_op.ts";
import {
  mapParts,
  partOn,
  sameRanks,
  splitEvenly,
  startsOf,
  type Tensor,
  type View,
  type Window,
} from "../tensor.ts";
import { windowRows } from "../window.ts";
import { countReads } from "./count_reads.ts";
import { interleave } from "./interleave.ts";

/** More would hide a little more of the transfer and cost each its own round trips. */
const mostBlocks = 4;

/** A product, the collective that it is computed for, and the kernel that arranges what arrives. */
interface Chain {
  readonly product: MatmulOp;
  readonly collective: CollectiveOp;
  readonly arrange?: GatherColumnsOp;
  readonly windows: readonly Window[];
}

export function chunk(ops: readonly Op[]): Op[] {
  return weaveBlocks(chunkProducts(ops));
}

/** Blocks of rows that layers made, one computed while another is on its way. */
function weaveBlocks(ops: readonly Op[]): Op[] {
  return groupRuns(ops, ({ block }) => block?.of).flatMap((run) => {
    const [first] = run;
    if (first?.block === undefined) return run;
    const blocks = groupRuns(run, ({ block }) => block?.index);
    return interleave(blocks.map((own) => own.map(({ block: _, ...op }) => op))).map((op): Op => ({
      ...op,
      place: first.place,
    }));
  });
}

/** Ops that stand together and have the same key. */
function groupRuns(ops: readonly Op[], keyOf: (op: Op) => string | number | undefined): Op[][] {
  const runs: Op[][] = [];
  let last: string | number | undefined;
  for (const op of ops) {
    const key = keyOf(op);
    const run = runs.at(-1);
    if (run === undefined || key !== last) runs.push([op]);
    else run.push(op);
    last = key;
  }
  return runs;
}

function chunkProducts(ops: readonly Op[]): Op[] {
  const chains = chainsOf(ops);
  const moved = new Set<Op>();
  for (const { product, arrange } of chains.values()) {
    moved.add(product);
    if (arrange !== undefined) moved.add(arrange);
  }
  return ops.flatMap((op) => {
    if (moved.has(op)) return [];
    const chain = op.op === "collective" ? chains.get(op) : undefined;
    if (chain === undefined) return [op];
    const { place } = op;
    return interleave(chain.windows.map((_, block) => blockOf(chain, block))).map((each): Op => ({
      ...each,
      place,
    }));
  });
}

/** By their collective. */
function chainsOf(ops: readonly Op[]): Map<Op, Chain> {
  const readsOf = countReads(ops);
  const products = new Map<Tensor, MatmulOp>();
  const chains = new Map<Op, Chain>();
  /** Of pieces that wait to be arranged. */
  const waiting = new Map<Tensor, CollectiveOp>();
  for (const op of ops) {
    if (op.op === "matmul") products.set(op.y.tensor, op);
    if (op.op === "gather-columns") {
      const collective = waiting.get(op.x);
      const chain = collective && chains.get(collective);
      if (collective !== undefined && chain !== undefined) {
        chains.set(collective, { ...chain, arrange: op });
      }
    }
    if (op.op !== "collective") continue;
    const product = products.get(op.x.tensor);
    const windows = windowsOf(product);
    if (product === undefined || windows.length < 2 || !leavesAtOnce(product, op, readsOf))
      continue;
    chains.set(op, { product, collective: op, windows });
    if (op.y.tensor.slot !== undefined) waiting.set(op.y.tensor, op);
  }
  return chains;
}

function leavesAtOnce(
  { ranks, y }: MatmulOp,
  { amount, from }: CollectiveOp,
  readsOf: (tensor: Tensor, rank: number) => number,
): boolean {
  return (
    (amount.kind === "all-reduce" || amount.kind === "all-gather") &&
    sameRanks(ranks, from) &&
    ranks.every((rank) => readsOf(y.tensor, rank) === 1)
  );
}

function windowsOf(product: MatmulOp | undefined): Window[] {
  if (product === undefined) return [];
  const rows = rowsOf(product);
  const units = Math.floor(rows / windowRows);
  if (units < 2) return [];
  const sizes = splitEvenly(units * windowRows, Math.min(mostBlocks, units), windowRows);
  // The rows that fill no unit of their own go with the last block.
  sizes[sizes.length - 1] = (sizes.at(-1) ?? 0) + (rows % windowRows);
  const starts = startsOf(sizes);
  return sizes.map((size, block) => ({ first: starts[block] ?? 0, rows: size }));
}

function rowsOf({ ranks: [rank = 0], y }: MatmulOp): number {
  return partOn(y.tensor, rank)?.shape[0] ?? 0;
}

function blockOf(
  { product, collective, arrange, windows }: Chain,
  block: number,
): readonly NewOp[] {
  const window = windows[block] ?? { first: 0, rows: 0 };
  const share = window.rows / rowsOf(product);
  const of = ({ tensor }: View): View => ({ tensor, window });
  const pieces = arrange === undefined ? undefined : resized(collective.y.tensor, share, block);
  const name = `${collective.name}/rows${window.first}`;
  const ops: NewOp[] = [
    {
      ...product,
      x: of(product.x),
      ...(product.gate === undefined ? {} : { gate: of(product.gate) }),
      ...(product.rowGate === undefined ? {} : { rowGate: of(product.rowGate) }),
      ...(product.residual === undefined ? {} : { residual: of(product.residual) }),
      y: of(product.y),
    },
    {
      ...collective,
      name,
      channelName: name,
      amount: scaled(collective.amount, share),
      slot: block,
      x: of(collective.x),
      y: pieces === undefined ? of(collective.y) : { tensor: pieces },
    },
  ];
  if (arrange !== undefined && pieces !== undefined) {
    ops.push({ ...arrange, x: pieces, y: of(arrange.y) });
  }
  return ops;
}

/** Room of the block's own for its share of the elements. */
function resized(tensor: Tensor, share: number, block: number): Tensor {
  return {
    ...tensor,
    slot: block,
    parts: mapParts(tensor.parts, (part) => ({
      ...part,
      shape: part.shape.map((extent, i) => (i === 1 ? Math.round(extent * share) : extent)),
    })),
  };
}

function scaled(amount: CollectiveOp["amount"], share: number): CollectiveOp["amount"] {
  if (amount.kind === "all-reduce") return { ...amount, count: Math.round(amount.count * share) };
  if (amount.kind !== "all-gather") throw new Error(`no block of a ${amount.kind}`);
  return { ...amount, counts: amount.counts.map((count) => Math.round(count * share)) };
}
