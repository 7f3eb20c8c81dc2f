// Contents made on the GPU are, bit by bit, those that the host makes; and who fills is heard meanwhile.

import fc from "fast-check";
import { expect, test } from "vitest";
import { readBuffer } from "../../src/gpu/read_back.ts";
import { bytesPerElement, type StorageType } from "../../src/kernels/storage.ts";
import type { Content, RegionContent } from "../../src/program/content.ts";
import { contentBlocks, contentBytes, fillContent } from "../../src/program/content_values.ts";
import { hashSource } from "../../src/program/hash_source.ts";
import { createFiller } from "../../src/runtime/fill.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";

const source = hashSource(5);

/** A part of a tensor of more planes, rows and columns, so that every offset counts. */
function part(planes: number, rows: number, columns: number, scale: number): RegionContent {
  return {
    kind: "uniform",
    tensor: `weight ${columns}`,
    center: 0,
    scale,
    shape: [planes + 2, rows + 3, columns + 5],
    offset: [1, 2, 3],
    size: [planes, rows, columns],
  };
}

/** From here on the GPU fills. */
const leastOnGpu = 2 ** 20;

describeOnAdapter("first contents", () => {
  const filled = async (content: Content, dtype: StorageType) => {
    const gpu = await testGpu();
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = await gpu.createBuffer("filled", contentBytes(content, dtype), usage);
    const filler = createFiller(gpu, "test", source);
    let heard = 0;
    try {
      await filler.fill(buffer, content, dtype, () => (heard += 1));
      return { words: new Uint32Array(await readBuffer(gpu, buffer)), heard };
    } finally {
      filler.destroy();
      gpu.destroyBuffer(buffer);
    }
  };
  const differences = (found: Uint32Array, content: Content, dtype: StorageType): number => {
    const expected = new Uint32Array(fillContent(content, source, dtype).buffer);
    expect(found).toHaveLength(expected.length);
    return found.reduce((count, word, i) => count + (word === expected[i] ? 0 : 1), 0);
  };

  test.each<[string, Content, StorageType]>([
    ["odd columns in f32", part(1, 513, 1023, 0.03), "f32"],
    ["odd columns in f16, some of them subnormal", part(1, 1025, 1021, 2e-4), "f16"],
    ["whole quads in f16, up to infinity", part(1, 1024, 1024, 70_000), "f16"],
    ["experts", part(5, 300, 257, 0.5), "f32"],
    [
      "projections side by side",
      { kind: "beside", parts: [part(1, 900, 512, 0.1), part(1, 900, 300, 0.2)] },
      "f16",
    ],
  ])("%s", async (_name, content, dtype) => {
    const { words } = await filled(content, dtype);
    expect(words.byteLength).toBeGreaterThanOrEqual(leastOnGpu);
    expect(differences(words, content, dtype)).toBe(0);
  });

  test("who fills much is heard often", async () => {
    const { heard } = await filled(part(1, 4096, 4096, 0.1), "f32");
    expect(heard).toBeGreaterThan(3);
  });

  test("what the host makes comes in pieces as well", async () => {
    const content: Content = { ...part(1, 2048, 700, 0.1), center: 1 } as RegionContent;
    const { words, heard } = await filled(content, "f32");
    expect(heard).toBeGreaterThan(1);
    expect(differences(words, content, "f32")).toBe(0);
  });
});

test("pieces of any size are the whole", () => {
  const contents = fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 200 }),
    fc.constantFrom<StorageType>("f32", "f16"),
  );
  fc.assert(
    fc.property(contents, ([planes, rows, columns, blockBytes, dtype]) => {
      const content = part(planes, rows, columns, 1);
      const whole = fillContent(content, source, dtype);
      const pieces = new Uint8Array(whole.byteLength);
      let next = 0;
      for (const { offset, bytes } of contentBlocks(content, source, dtype, blockBytes)) {
        expect(offset).toBe(next);
        expect(offset % bytesPerElement("f32")).toBe(0);
        pieces.set(bytes, offset);
        next += bytes.byteLength;
      }
      expect(pieces).toEqual(whole);
    }),
  );
});
