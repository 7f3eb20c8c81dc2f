import { expect, test } from "vitest";
import type { AttentionShape } from "../../../src/kernels/attention_shape.ts";
import type { KernelInstruction } from "../../../src/program/program.ts";
import { thorough } from "../../../src/runtime/check/effort.ts";
import { checkScores } from "../../../src/runtime/check/unfused_attention.ts";
import { operandsOf } from "../../../src/runtime/check/view.ts";
import { originOf } from "../../collectives/small_programs.ts";
import { randomSource } from "../../support/tensors.ts";

const shape: AttentionShape = {
  batch: 1,
  sequence: 2,
  heads: 1,
  kvHeads: 1,
  headDim: 4,
  causal: true,
  scale: 1,
};
const instruction: KernelInstruction = {
  op: "kernel",
  origin: originOf("test/0.attention"),
  dtype: "f32",
  kernel: "attention_scores",
  shape,
  buffers: ["qkv", "y"],
};

/** Of two tokens, whose queries, keys and values are ones and twos. @param hidden the score that the first has of the second */
async function worstOf(hidden: number): Promise<number> {
  const qkv = Float32Array.from({ length: 24 }, (_, i) => (i < 12 ? 1 : 2));
  const y = Float32Array.from([4, hidden, 0, 0, 8, 16, 0, 0]);
  const bytes: Record<string, Uint8Array> = {
    qkv: new Uint8Array(qkv.buffer),
    y: new Uint8Array(y.buffer),
  };
  const random = randomSource(1);
  const operands = operandsOf(instruction, {
    rank: 0,
    bytesOf: (id) => bytes[id]?.length ?? 0,
    dtypeOf: () => "f32",
    read: async (id, ranges) =>
      new Uint8Array(
        Buffer.concat(
          ranges.map(({ offset, bytes: size }) =>
            (bytes[id] ?? new Uint8Array()).slice(offset, offset + size),
          ),
        ),
      ).slice(),
    compute: async () => undefined,
    before: () => undefined,
    pause: async () => {},
    random,
    effort: thorough,
  });
  return (await checkScores(shape, operands, { random, effort: thorough })).deviation.worst;
}

test("control: the score of a key that is not seen is next to nothing", async () => {
  expect(await worstOf(-2e38)).toBeLessThan(1);
  expect(await worstOf(-Infinity)).toBeLessThan(1);
});

test.each([0, 8, -1e3, Number.NaN])("a key that is not seen has a score of %d", async (hidden) => {
  expect(await worstOf(hidden)).toBeGreaterThan(1);
});
