import { expect, test } from "vitest";
import type { PreparedKernel } from "../../src/gpu/logical_gpu.ts";
import type { Instruction, Origin } from "../../src/program/program.ts";
import { createAhead } from "../../src/runtime/ahead.ts";
import type { Encoding } from "../../src/runtime/encoding.ts";

function origin(stage: string): Origin {
  return {
    stage,
    layer: `${stage}/0`,
    microBatch: 0,
    phase: "forward",
  };
}

/** k: kernel, c: copy, o: observe, i: input; upper case: of stage two. */
function instructionOf(letter: string): Instruction {
  const from = origin(letter === letter.toLowerCase() ? "one" : "two");
  switch (letter.toLowerCase()) {
    case "k":
      return {
        op: "kernel",
        kernel: "add",
        shape: { rows: 1, columns: 1 },
        dtype: "f32",
        buffers: [],
        origin: from,
      };
    case "c":
      return {
        op: "copy",
        origin: from,
        source: "a",
        sourceOffset: 0,
        target: "b",
        targetOffset: 0,
        bytes: 4,
      };
    case "o":
      return {
        op: "observe",
        origin: from,
        buffer: "a",
        observation: { kind: "routes", rowOffset: 0, rows: 1, topK: 1 },
      };
    default:
      return {
        op: "input",
        origin: from,
        buffer: "a",
        content: { kind: "ids", vocabulary: 2, tensor: "x", shape: [1], offset: [0], size: [1] },
      };
  }
}

function aheadOf(
  letters: string,
  rest: { stage?: string; standsAlone?: string; digests?: number[] } = {},
) {
  const log: string[] = [];
  let encoders = 0;
  let slots = 0;
  const encoding: Encoding = {
    open: () => ({ label: `${encoders++}` }) as GPUCommandEncoder,
    kernel({ label }) {
      log.push(`k${label}`);
      return slots++;
    },
    digest: ({ label }) => void log.push(`d${label}`),
    copy: ({ label }) => void log.push(`c${label}`),
  };
  const instructions = letters.split("").map(instructionOf);
  const prepared = { label: "" } as PreparedKernel;
  const ahead = createAhead(encoding, {
    instructions,
    kernels: new Map(instructions.map((_, index) => [index, prepared])),
    digests: new Map((rest.digests ?? []).map((index) => [index, prepared])),
    skips: ({ origin: { stage } }) => rest.stage !== undefined && stage !== rest.stage,
    standsAlone: ({ op }) => op === rest.standsAlone,
  });
  return { ahead, log };
}

function rangeOf({ first, last }: { first: number; last: number }) {
  return [first, last];
}

test("kernels and copies up to the next other instruction share an encoder; what shows nothing is none", () => {
  const { ahead, log } = aheadOf("ikcokikk");
  const one = ahead.take(1);
  expect(rangeOf(one)).toEqual([1, 4]);
  expect(one.passes).toEqual([
    { instruction: 1, slot: 0, followsCopy: false },
    { instruction: 4, slot: 1, followsCopy: true },
  ]);
  expect(one.endsWithCopy).toBe(false);
  expect(rangeOf(ahead.take(6))).toEqual([6, 7]);
  expect(log).toEqual(["k0", "c0", "k0", "k1", "k1"]);
});

test("the digest of what is shown comes before the kernels after it, and is not timed", () => {
  const { ahead, log } = aheadOf("kok", { digests: [1] });
  const one = ahead.take(0);
  expect(rangeOf(one)).toEqual([0, 2]);
  expect(one.passes.map(({ instruction }) => instruction)).toEqual([0, 2]);
  expect(log).toEqual(["k0", "d0", "k0"]);
});

test("the first call records for many that follow, but no more than 16 kernels and copies", () => {
  const { ahead, log } = aheadOf("ki".repeat(20));
  ahead.record(0);
  expect(log).toHaveLength(16);
  for (let index = 0; index < 32; index += 2) ahead.take(index);
  expect(log).toHaveLength(16);
  ahead.take(32);
  expect(log).toHaveLength(20);
});

test("a longer row is cut", () => {
  const { ahead } = aheadOf("k".repeat(20));
  expect(rangeOf(ahead.take(0))).toEqual([0, 15]);
  expect(rangeOf(ahead.take(16))).toEqual([16, 19]);
});

test("instructions of other stages are passed over", () => {
  const { ahead, log } = aheadOf("kKIk", { stage: "one" });
  expect(rangeOf(ahead.take(0))).toEqual([0, 3]);
  expect(log).toEqual(["k0", "k0"]);
});

test("what is to be seen before the next is submitted apart from it", () => {
  const { ahead } = aheadOf("kok", { standsAlone: "observe" });
  expect(rangeOf(ahead.take(0))).toEqual([0, 0]);
  expect(rangeOf(ahead.take(2))).toEqual([2, 2]);
  const { ahead: byKernel } = aheadOf("kk", { standsAlone: "kernel" });
  expect(rangeOf(byKernel.take(0))).toEqual([0, 0]);
});

test("what is no kernel or copy, or out of order, cannot be taken", () => {
  expect(() => aheadOf("ik").ahead.take(0)).toThrow("nothing is recorded for instruction 0");
  expect(() => aheadOf("k").ahead.take(3)).toThrow("nothing is recorded for instruction 3");
});
