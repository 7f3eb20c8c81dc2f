// What variants are tried on: what kernels read in a step, although later instructions of it write to the same memory.

import { expect, test } from "vitest";
import { lower } from "../../src/program/lower.ts";
import type { BufferDeclaration, KernelInstruction } from "../../src/program/program.ts";
import { readBuffer } from "../../src/gpu/read_back.ts";
import { keepInputs } from "../../src/runtime/keep_inputs.ts";
import { bindCalls } from "../../src/runtime/program_calls.ts";
import { callKey } from "../../src/tuning/keys.ts";
import { openRanks } from "../../src/runtime/coordinator.ts";
import { isExcluded, type TunedCall } from "../../src/tuning/tuned_call.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { moe, plan } from "../support/plans.ts";

const experts = plan("experts", 1, [[moe(16, 4, 2, [[0]], [0], { ffn: 24 })]]);

/** As programs have it: two sums, of which the second writes where the first read. */
function addsOver(buffers: ReadonlyMap<string, GPUBuffer>) {
  const declared = [...buffers.keys()].map((id): BufferDeclaration => ({
    id,
    role: id === "w" ? "weight" : "activation",
    dtype: "f32",
    shape: [1, 4],
    bytes: 16,
  }));
  const instructions = [
    ["a", "w", "y"],
    ["y", "w", "a"],
  ].map((ids): KernelInstruction => ({
    op: "kernel",
    kernel: "add",
    shape: { rows: 1, columns: 4 },
    dtype: "f32",
    buffers: ids,
    origin: { stage: "s", layer: "l", microBatch: 0, phase: "forward" },
  }));
  const program = { rank: 0, buffers: declared, instructions };
  const region = (id: string): GPUBufferBinding => ({
    buffer: buffers.get(id)!,
    offset: 0,
    size: 16,
  });
  return {
    program,
    calls: bindCalls(program, region),
    declaration: (id: string) => declared.find((one) => one.id === id)!,
  };
}

describeOnAdapter("tuning", () => {
  test("reads what a call read in the step, not what was written there since", async () => {
    const gpu = await testGpu();
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    const buffers = new Map<string, GPUBuffer>();
    const write = (id: string, value: number): void =>
      gpu.device.queue.writeBuffer(buffers.get(id)!, 0, new Float32Array(4).fill(value));
    for (const [id, value] of Object.entries({ a: 1, w: 10, y: 0 })) {
      buffers.set(id, await gpu.createBuffer(id, 16, STORAGE | COPY_DST | COPY_SRC));
      write(id, value);
    }
    const before = gpu.memory.bytes;
    const prepared = addsOver(buffers);
    const [first, second] = prepared.program.instructions;
    const key = callKey("add", { rows: 1, columns: 4 }, "f32");
    const kept = keepInputs(gpu, prepared, new Set([key]));
    expect(kept.calls()).toEqual([]);
    expect(prepared.program.instructions.map(kept.options.inspects)).toEqual([true, false]);
    await kept.options.before(first!, 0);
    await kept.options.before(second!, 1);
    write("a", 777);
    write("w", 20);

    const [call, later] = kept.calls();
    expect(later).toBe(prepared.calls.get(1));
    const { kernel, shape, dtype, buffers: bound, label } = call!;
    const sum = await gpu.prepare(kernel, shape, dtype, bound, label);
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    sum.encode(pass);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
    // A weight is read where it lies.
    expect([...new Float32Array(await readBuffer(gpu, buffers.get("y")!))]).toEqual([
      21, 21, 21, 21,
    ]);
    expect(gpu.memory.bytes).toBe(before);
    kept.destroy();
    for (const buffer of buffers.values()) gpu.destroyBuffer(buffer);
  });

  test("on a rank tries every pending call, and leaves no copy in its memory", async () => {
    const { choice } = (await testGpu()).report;
    const pool = await openRanks(lower(experts), [choice]);
    try {
      const pending = pool.calls[0]?.filter((use) => use.pending).map(({ call }) => call);
      expect(pending?.filter((call) => call.startsWith("grouped_matmul"))).toHaveLength(2);
      const found: TunedCall[] = [];
      await pool.tune(Infinity, async (_, tuned) => void found.push(...tuned));
      expect(new Set(found.map(({ call }) => call))).toEqual(new Set(pending));
      expect(found.flatMap(({ tried }) => tried.filter(isExcluded))).toEqual([]);
      expect(pool.peakBytes).toEqual(pool.allocatedBytes);
    } finally {
      await pool.close();
    }
  });
});
