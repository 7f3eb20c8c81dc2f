import { afterAll, expect, test } from "vitest";
import { createReader, readBuffer } from "../../src/gpu/read_back.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";

describeOnAdapter("buffers", () => {
  afterAll(async () => (await testGpu()).close());

  test("bytes are counted while buffers live, in whole words", async () => {
    const gpu = await testGpu();
    const before = gpu.memory.bytes;
    const a = await gpu.createBuffer("a", 1, GPUBufferUsage.STORAGE);
    const b = await gpu.createBuffer("b", 1000, GPUBufferUsage.STORAGE);
    expect(gpu.memory.bytes - before).toBe(1004);
    gpu.destroyBuffer(a);
    expect(gpu.memory.bytes - before).toBe(1000);
    gpu.destroyBuffer(b);
    expect(gpu.memory.bytes).toBe(before);
    expect(gpu.memory.peakBytes).toBeGreaterThanOrEqual(before + 1004);
  });

  test("uncounted work leaves the peak alone, and what it leaves behind counts", async () => {
    const gpu = await testGpu();
    const { bytes, peakBytes } = gpu.memory;
    const large = peakBytes - bytes + 4096;
    await gpu.uncounted(async () =>
      gpu.destroyBuffer(await gpu.createBuffer("scratch", large, GPUBufferUsage.STORAGE)),
    );
    expect(gpu.memory.peakBytes).toBe(peakBytes);
    const left = await gpu.uncounted(async () =>
      gpu.createBuffer("left", large, GPUBufferUsage.STORAGE),
    );
    expect(gpu.memory.peakBytes).toBe(bytes + large);
    gpu.destroyBuffer(left);
  });

  test("much is read in pieces, in order, and whoever waits is told of each", async () => {
    const gpu = await testGpu();
    const words = 2 ** 25 + 5;
    const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = await gpu.createBuffer("much", 4 * words, usage);
    const marks = [0, 2 ** 24 - 1, 2 ** 24, 2 ** 24 + 1, 2 ** 25, words - 1];
    for (const at of marks) gpu.device.queue.writeBuffer(buffer, 4 * at, Uint32Array.of(at + 1));
    let pieces = 0;
    const reader = createReader(gpu, "much", () => (pieces += 1));
    // The last 8 words, then all.
    const bytes = await reader.read(buffer, [
      { offset: 4 * (words - 8), bytes: 32 },
      { offset: 0, bytes: 4 * words },
    ]);
    reader.destroy();
    gpu.destroyBuffer(buffer);
    const read = new Uint32Array(bytes);
    expect(read).toHaveLength(words + 8);
    expect(read[7]).toBe(words);
    for (const at of marks) expect(read[8 + at]).toBe(at + 1);
    expect(read.reduce((count, word) => count + (word === 0 ? 0 : 1), 0)).toBe(marks.length + 2);
    expect(pieces).toBe(3);
  });

  test("a buffer is destroyed once", async () => {
    const gpu = await testGpu();
    const buffer = await gpu.createBuffer("twice", 4, GPUBufferUsage.STORAGE);
    gpu.destroyBuffer(buffer);
    expect(() => gpu.destroyBuffer(buffer)).toThrow('buffer "twice" is not one of this GPU');
  });

  test("control: a buffer of more than is bound at once is only refused for want of memory", async () => {
    const gpu = await testGpu();
    const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
    const size = Math.min(maxBufferSize, maxStorageBufferBindingSize + 4);
    const outcome = await gpu.createBuffer("large", size, GPUBufferUsage.STORAGE).then(
      (buffer) => {
        gpu.destroyBuffer(buffer);
        return "made";
      },
      (error: { code?: string }) => error.code,
    );
    expect(["made", "out-of-memory"]).toContain(outcome);
    expect(gpu.memory.bytes).toBe(0);
  });

  test("a storage buffer over the limit is refused with both numbers and the way out", async () => {
    const gpu = await testGpu();
    const limit = gpu.device.limits.maxBufferSize;
    const over = (Math.floor(limit / 4) + 1) * 4; // Buffers are made in whole words.
    const before = gpu.memory.bytes;
    await expect(gpu.createBuffer("weights", over, GPUBufferUsage.STORAGE)).rejects.toMatchObject({
      code: "buffer-over-limit",
      message: expect.stringContaining(
        `buffer "weights" needs ${over} bytes, adapter ${gpu.report.choice.id} allows ${limit} (maxBufferSize)`,
      ),
      hint: expect.stringContaining("split the layer over more ranks"),
    });
    expect(gpu.memory.bytes).toBe(before);
  });

  test("part of a buffer is read back", async () => {
    const gpu = await testGpu();
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const buffer = await gpu.createBuffer("source", 16, usage);
    gpu.device.queue.writeBuffer(buffer, 0, new Uint32Array([1, 2, 3, 4]));
    expect([...new Uint32Array(await readBuffer(gpu, buffer, 8, 4))]).toEqual([2, 3]);
    gpu.destroyBuffer(buffer);
  });

  test("an error that nobody caught is thrown by the next check", async () => {
    const gpu = await testGpu();
    gpu.check();
    gpu.device.createBuffer({ label: "unsound", size: 4, usage: 0 });
    await gpu.device.queue.onSubmittedWorkDone();
    expect(() => gpu.check()).toThrow(`adapter ${gpu.report.choice.id}: `);
  });
});
