import { expect, test } from "vitest";
import { EnvironmentError } from "../../src/environment_error.ts";
import { lower } from "../../src/program/lower.ts";
import type { RankProgram } from "../../src/program/program.ts";
import { refuseOverLimits } from "../../src/runtime/buffer_limits.ts";
import { planOf } from "../support/written_plan.ts";

/** Its tables are the largest tensors, its logits the next. */
const plan = planOf(`
name: limits
hardware: { gpus: 1 }
workload: { batch: 1, sequence: 8 }
model: { layers: 1, hidden: 16, heads: 2, ffn: 40, vocabulary: 300 }
`);
const [whole] = lower(plan).ranks;
const [inTiles] = lower({ ...plan, hardware: { gpus: 1, maxBinding: 10_000 } }).ranks;
const tableBytes = 300 * 16 * 4;

function refusedBy(program: RankProgram, binding: number, buffer = 2 ** 30) {
  try {
    const limits = { maxBufferSize: buffer, maxStorageBufferBindingSize: binding };
    refuseOverLimits(program, limits, "narrow");
    return undefined;
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
}

function largestBound({ buffers }: RankProgram): number {
  return Math.max(
    ...buffers.flatMap(({ id, bytes }) => (id.startsWith("activations/") ? [] : [bytes])),
  );
}

test("control: what an adapter binds is not refused, memory that tensors share may be more", () => {
  const arena = Math.max(...inTiles!.buffers.map(({ bytes }) => bytes));
  const most = largestBound(inTiles!);
  expect(arena).toBeGreaterThan(most);
  expect(refusedBy(whole!, largestBound(whole!))).toBeUndefined();
  expect(refusedBy(inTiles!, most, arena)).toBeUndefined();
});

test("a weight is named with its layer, both numbers and the way out", () => {
  expect(refusedBy(whole!, tableBytes)).toBeUndefined();
  expect(refusedBy(whole!, tableBytes - 1)).toMatchObject({
    code: "buffer-over-limit",
    message:
      'weight "blocks/0.embedding/weight" of rank 0, in blocks/0.embedding, needs 19200 bytes, ' +
      "adapter narrow allows 19199 (maxStorageBufferBindingSize)",
    hint: expect.stringContaining("lower hardware.maxBinding"),
  });
});

test("so is an activation", () => {
  expect(refusedBy(inTiles!, largestBound(inTiles!) - 1)).toMatchObject({
    message: expect.stringContaining('activation "blocks/8.linear/out" of rank 0'),
    hint: expect.stringContaining("more micro-batches"),
  });
});

test("a buffer that tensors share is refused for its own size", () => {
  const arena = Math.max(...inTiles!.buffers.map(({ bytes }) => bytes));
  const { message } = refusedBy(inTiles!, largestBound(inTiles!), arena - 1)!;
  expect(message).toMatch(/^activation "activations\/0" of rank 0 needs/);
  expect(message).toContain("(maxBufferSize)");
});
