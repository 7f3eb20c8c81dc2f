// The passes by themselves, on the ops of plans: what goes in stays as it is, what comes out computes the same.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chunk } from "../../../src/program/passes/chunk.ts";
import { chunkLogits } from "../../../src/program/passes/chunk_logits.ts";
import { synthesizeBackward } from "../../../src/program/passes/synthesize_backward.ts";
import { fuseNorms } from "../../../src/program/passes/fuse_norms.ts";
import { fuseProducts } from "../../../src/program/passes/fuse_products.ts";
import { recompute } from "../../../src/program/passes/recompute.ts";
import { schedule } from "../../../src/program/passes/schedule.ts";
import type { Op } from "../../../src/program/op.ts";
import { recomputedParts } from "../../../src/plan/recomputed_parts.ts";
import { planOps } from "../../../src/program/plan_ops.ts";
import { hasBackward, schedulingOf } from "../../../src/program/schedule/scheduling.ts";
import { arbitraryDegrees } from "../../support/arbitrary_degrees.ts";
import { planOf } from "../../support/written_plan.ts";
import { sameOn, type Tensor, whole } from "../../../src/program/tensor.ts";
import { isTransfer } from "../../../src/program/transfer_op.ts";
import { tileWeights } from "../../../src/program/passes/tile_weights.ts";
import { commonBinding } from "../../../src/program/tile.ts";

const inWindows = (ops: readonly Op[]) => chunkLogits(ops, "f32", commonBinding);
const inTiles = (ops: readonly Op[]) => tileWeights(ops, "f32", 2 ** 11);

function kinds(ops: readonly Op[]): string[] {
  return ops.map(({ op }) => op);
}

function count(ops: readonly Op[], kind: Op["op"]): number {
  return ops.filter(({ op }) => op === kind).length;
}

const block = planOf(`
name: block
hardware: { gpus: 2 }
workload: { batch: 2, sequence: 64, mode: training, microBatches: 2, schedule: gpipe }
model: { layers: 2, hidden: 8, heads: 2, ffn: 16, gated: true, norm: rms }
parallel: { pipeline: 2 }
`);

test("layers say every op by itself: nothing is fused before the passes", () => {
  const { ops } = planOps(block);
  for (const op of ops) {
    expect(op).not.toHaveProperty("residual");
    expect(op).not.toHaveProperty("sumOf");
  }
  const activations = ops.flatMap((op) => (op.op === "matmul" ? [op.activation] : []));
  expect(new Set(activations)).toEqual(new Set(["none"]));
});

test("an activation, its gate and the residual after it become part of the product", () => {
  const { ops } = planOps(block);
  const fused = fuseProducts(ops);
  expect(count(ops, "activation")).toBe(2);
  expect(count(ops, "add")).toBe(4);
  expect(count(fused, "activation")).toBe(0);
  expect(count(fused, "add")).toBe(0);
  expect(fused.filter((op) => op.op === "matmul" && op.gate !== undefined)).toHaveLength(2);
  expect(fused.filter((op) => op.op === "matmul" && op.residual !== undefined)).toHaveLength(4);
});

test("experts say their blocks one after the other, and one pass puts each beside the other's way", () => {
  const { ops } = planOps(
    planOf(`
name: experts
hardware: { gpus: 2 }
workload: { batch: 2, sequence: 256 }
optimizations: [communication-overlap]
model: { layers: 1, hidden: 8, heads: 2, ffn: 16, moe: { experts: 4, topK: 2 } }
parallel: { data: 2, expert: 2 }
`),
  );
  const inBlocks = ops.flatMap((op) => op.block?.index ?? []);
  expect(new Set(inBlocks)).toEqual(new Set([0, 1]));
  expect(inBlocks).toEqual(inBlocks.toSorted((a, b) => a - b));
  expect(ops.some((op) => isTransfer(op) && op.isStarted === true)).toBe(false);
  const chunked = chunk(ops);
  expect(chunked.filter((op) => op.block !== undefined)).toEqual([]);
  const way = chunked.flatMap((op) =>
    op.op === "expert-dispatch" || op.op === "expert-combine" || op.op === "done"
      ? [`${op.op} ${op.name.replace(/^.*\//, "")}`]
      : op.op === "grouped-matmul"
        ? ["multiply"]
        : [],
  );
  const products = Array.from({ length: 4 }, () => "multiply");
  expect(way).toEqual([
    "expert-dispatch block0",
    "expert-dispatch block1",
    "done block0",
    ...products,
    "expert-combine block0",
    "done block1",
    ...products,
    "expert-combine block1",
    "done block0",
    "done block1",
  ]);
});

test("a product that something else reads, too, keeps its residual apart", () => {
  const { ops } = planOps(block);
  const sum = ops.find((op) => op.op === "add");
  if (sum?.op !== "add") throw new Error("no residual");
  const again: Op = { ...sum, op: "observe", x: sum.a, shown: [] };
  expect(count(fuseProducts([...ops, again]), "add")).toBe(1);
});

test("a sum and the norm right after it on all of the norm's ranks become one", () => {
  const tensorParallel = planOf(`
name: tensor
hardware: { gpus: 2 }
workload: { batch: 2, sequence: 4 }
model: { layers: 2, hidden: 8, heads: 2, ffn: 16, norm: layer }
parallel: { tensor: 2 }
`);
  const { ops } = planOps(tensorParallel);
  const fused = fuseNorms(ops);
  // The last residual has no norm behind it.
  expect(count(ops, "add")).toBe(4);
  expect(count(fused, "add")).toBe(1);
  expect(fused.filter((op) => op.op === "norm" && op.sumOf !== undefined)).toHaveLength(3);
});

test("a product is chunked with the collective that it is computed for, and with what arranges the pieces", () => {
  const overlapping = planOf(`
name: overlap
hardware: { gpus: 2 }
workload: { batch: 1, sequence: 96 }
optimizations: [communication-overlap]
model: { layers: 1, hidden: 8, heads: 2, ffn: 16 }
parallel: { tensor: 2 }
`);
  const ops = fuseProducts(planOps(overlapping).ops);
  const chunked = chunk(ops);
  const started = chunked.filter((op) => op.op === "collective" && op.isStarted === true);
  // Attention and MLP in three blocks of 32 rows each.
  expect(started).toHaveLength(6);
  expect(count(chunked, "done")).toBe(6);
  const first = kinds(chunked).indexOf("done");
  expect(kinds(chunked.slice(first - 6, first + 3))).toEqual([
    "matmul",
    "collective",
    "matmul",
    "collective",
    "matmul",
    "collective",
    "done",
    "done",
    "done",
  ]);
  expect(chunk(ops.filter(({ op }) => op !== "matmul"))).toEqual(
    ops.filter(({ op }) => op !== "matmul"),
  );
});

test("the backward pass has two synthetic gradients per product and attention, the last stage first", () => {
  const forward = fuseNorms(fuseProducts(planOps(block).ops));
  const scheduling = schedulingOf(block);
  if (scheduling === undefined) throw new Error("no pipeline");
  const backward = synthesizeBackward(forward, scheduling.places, block.stages.length);
  const products = forward.filter(({ op }) => op === "matmul" || op === "attention");
  expect(backward.filter(({ op }) => op !== "collective")).toHaveLength(2 * products.length);
  expect(backward.every(({ origin }) => origin.phase === "backward" && origin.synthetic)).toBe(
    true,
  );
  const stages = backward.map(({ origin }) => origin.stage);
  expect(stages.indexOf("blocks_1")).toBe(0);
  expect(stages.lastIndexOf("blocks_1")).toBeLessThan(stages.lastIndexOf("blocks_0"));
  // One hidden state came from the stage before, and as much goes back.
  const returned = backward.find((op) => op.op === "collective");
  expect(returned).toMatchObject({ from: [1], to: [0], amount: { kind: "send", count: 64 * 8 } });
});

test("logits are made and shown in windows of rows, each in the memory of the one before", () => {
  const head = planOf(`
name: head
hardware: { gpus: 2 }
workload: { batch: 1, sequence: 600 }
model: { layers: 1, hidden: 8, heads: 2, ffn: 16, vocabulary: 96 }
parallel: { tensor: 2 }
`);
  const { ops } = planOps(head);
  const shown = inWindows(ops).flatMap((op) => (op.op === "observe" ? [op] : []));
  expect(shown.map((op) => op.shown[1])).toMatchObject([
    { rowOffset: 0, rows: 256, columnOffset: 48, columns: 48 },
    { rowOffset: 256, rows: 256, columnOffset: 48, columns: 48 },
    { rowOffset: 512, rows: 88, columnOffset: 48, columns: 48 },
  ]);
  expect(new Set(shown.map(({ x }) => x.tensor.parts.held[0]?.shape.join()))).toEqual(
    new Set(["256,48"]),
  );
  expect(count(inWindows(ops), "matmul")).toBe(count(ops, "matmul") + 2);
  const twice = [...ops, ...ops.filter(({ op }) => op === "observe")];
  expect(count(inWindows(twice), "matmul")).toBe(count(ops, "matmul"));
});

test("no pass changes the list that it is given", () => {
  fc.assert(
    fc.property(arbitraryDegrees(), (plan) => {
      const { ops } = planOps(plan);
      const scheduling = schedulingOf(plan);
      let given: readonly Op[] = ops;
      for (const pass of [fuseProducts, fuseNorms, inWindows, chunk, inTiles]) {
        const before = JSON.stringify(given);
        const after = pass(given);
        expect(JSON.stringify(given)).toBe(before);
        given = after;
      }
      if (scheduling === undefined) return;
      const before = JSON.stringify(given);
      const { places } = scheduling;
      const backward = synthesizeBackward(given, places, plan.stages.length);
      const again = JSON.stringify(backward);
      const recomputed = recompute({ forward: given, backward }, recomputedParts(plan), places);
      const isRun = hasBackward(scheduling);
      schedule({ forward: given, backward: isRun ? recomputed : [] }, scheduling, 2);
      expect(JSON.stringify(backward)).toBe(again);
      expect(JSON.stringify(given)).toBe(before);
    }),
    { numRuns: 25 },
  );
});

describe("a residual waits for what it adds", () => {
  const origin = { stage: "s", layer: "s/0.linear", phase: "forward" } as const;
  const tensor = (name: string): Tensor => ({
    name,
    layer: origin.layer,
    role: "activation",
    parts: sameOn([0], { shape: [4, 4] }),
  });
  const common = { origin, place: origin.layer, ranks: [0] };
  const [x, w] = [tensor("x"), tensor("w")];
  const product = (y: Tensor): Op => ({
    ...common,
    op: "matmul",
    x: whole(x),
    w,
    activation: "none",
    y: whole(y),
  });
  const add = (a: Tensor, b: Tensor, y: Tensor): Op => ({
    ...common,
    op: "add",
    a: whole(a),
    b: whole(b),
    y: whole(y),
  });

  test("a sum that became part of a later product is not there for an earlier one", () => {
    const [early, late, sum, total] = ["early", "late", "sum", "total"].map(tensor);
    if (!early || !late || !sum || !total) throw new Error("four tensors");
    const ops = [product(early), product(late), add(late, x, sum), add(early, sum, total)];
    expect(kinds(fuseProducts(ops))).toEqual(["matmul", "matmul", "add"]);
  });

  test("control: it is there for a later one", () => {
    const [early, late, sum, total] = ["early", "late", "sum", "total"].map(tensor);
    if (!early || !late || !sum || !total) throw new Error("four tensors");
    const ops = [product(early), product(late), add(early, x, sum), add(late, sum, total)];
    expect(kinds(fuseProducts(ops))).toEqual(["matmul", "matmul"]);
  });

  test("an activation of a product that something else reads, too, is refused", () => {
    const [y, z] = [tensor("y"), tensor("z")];
    const activated: Op = {
      ...common,
      op: "activation",
      activation: "silu",
      x: whole(y),
      y: whole(z),
    };
    expect(() => fuseProducts([product(y), activated])).not.toThrow();
    expect(() => fuseProducts([product(y), activated, add(y, x, tensor("s"))])).toThrow(
      "no part of a product",
    );
  });
});
