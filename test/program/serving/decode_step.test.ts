// A decode step at any context does the same: new tokens go into caches in place, nothing copies what is cached, and only
// attention reads more of it.

import { describe, expect, test } from "vitest";
import { kernelOf } from "../../../src/kernels/catalog.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { lower } from "../../../src/program/lower.ts";
import type { Instruction, KernelInstruction } from "../../../src/program/program.ts";
import { planOf } from "../../support/written_plan.ts";

const latent = "latent: { queryRank: 12, keyValueRank: 8, rotaryDim: 4, valueDim: 12 }, kvHeads: 4";

function served(inputTokens: number, attention: string): Plan {
  return planOf(`
name: decode
hardware: { gpus: 2 }
workload: { mode: serving, batch: 4, inputTokens: ${inputTokens}, outputTokens: 9, dtype: f32 }
model: { layers: 2, hidden: 16, heads: 4, headDim: 8, ffn: 24, vocabulary: 40, positions: { kind: rotary }, ${attention} }
parallel: { tensor: 2 }
`);
}

function decodeOf(plan: Plan): Instruction[] {
  return lower(plan).ranks.flatMap(({ instructions }) =>
    instructions.filter(({ origin }) => origin.serves === "decode"),
  );
}

function isAttending({ kernel }: KernelInstruction): boolean {
  return kernel === "attend_cache" || kernel === "combine_attention";
}

/** What a step does, and what of it moves how many bytes. */
function workOf(instructions: readonly Instruction[]) {
  return instructions.map((each) => {
    if (each.op !== "kernel") return [each.op];
    if (isAttending(each)) return [each.kernel];
    const kernel = kernelOf(each);
    const { shape } = each;
    return [each.kernel, kernel.flops(shape), kernel.bytes(shape, "f32"), kernel.grid(shape)];
  });
}

describe.each([
  ["grouped heads", "kvHeads: 2"],
  ["latents", latent],
])("a decode step over %s", (_, attention) => {
  test("has the same instructions at every context, of the same cost but for attention", () => {
    const [short, long] = [24, 7992].map((tokens) => workOf(decodeOf(served(tokens, attention))));
    expect(long).toEqual(short);
    expect(short?.flat()).toContain("attend_cache");
  });

  test("appends one row for each request, where it stays", () => {
    const program = lower(served(500, attention));
    for (const { buffers, instructions } of program.ranks) {
      const caches = new Set(buffers.flatMap(({ id, role }) => (role === "cache" ? [id] : [])));
      expect(caches.size).toBe(2);
      const touching = instructions.filter(
        (each) =>
          each.origin.serves === "decode" &&
          ((each.op === "kernel" && each.buffers.some((id) => caches.has(id))) ||
            (each.op === "copy" && (caches.has(each.source) || caches.has(each.target)))),
      );
      expect(touching.map((each) => (each.op === "kernel" ? each.kernel : each.op))).toEqual([
        "append_cache",
        "attend_cache",
        "append_cache",
        "attend_cache",
      ]);
      for (const each of touching) {
        if (each.op !== "kernel" || each.kernel !== "append_cache") continue;
        expect(each.shape.batch * each.shape.queries).toBe(4);
      }
    }
  });

  test("control: attention itself reads what is cached", () => {
    const [short, long] = [24, 7992].map((tokens) =>
      decodeOf(served(tokens, attention)).reduce(
        (sum, each) =>
          each.op === "kernel" && isAttending(each)
            ? sum + kernelOf(each).bytes(each.shape, "f32")
            : sum,
        0,
      ),
    );
    expect(long).toBeGreaterThan(100 * (short ?? 0));
  });
});
