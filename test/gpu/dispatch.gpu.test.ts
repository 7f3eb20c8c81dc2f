import { afterAll, expect, test } from "vitest";
import { copy } from "../../src/gpu/calibration/memory.ts";
import { compileModule } from "../../src/gpu/dispatch.ts";
import { readBuffer } from "../../src/gpu/read_back.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";

async function pair(bytes: number): Promise<[GPUBuffer, GPUBuffer]> {
  const gpu = await testGpu();
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  return [await gpu.createBuffer("x", bytes, usage), await gpu.createBuffer("y", bytes, usage)];
}

describeOnAdapter("prepared kernels", () => {
  afterAll(async () => (await testGpu()).close());

  test.each([1, 63, 64, 65, 1_048_577])(
    "the copy kernel copies all of %i quads and no more",
    async (quads) => {
      const gpu = await testGpu();
      const [x, y] = await pair((quads + 1) * 16);
      const sent = Uint32Array.from({ length: 4 * (quads + 1) }, (_, index) => index + 1);
      gpu.device.queue.writeBuffer(x, 0, sent);
      const kernel = await gpu.prepare(copy, { quads }, "f32", [x, y], "copy");
      const encoder = gpu.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      kernel.encode(pass);
      pass.end();
      gpu.device.queue.submit([encoder.finish()]);
      const arrived = await readBuffer(gpu, y);
      sent.fill(0, 4 * quads);
      expect(Buffer.compare(new Uint8Array(arrived), new Uint8Array(sent.buffer))).toBe(0);
      gpu.destroyBuffer(x);
      gpu.destroyBuffer(y);
    },
  );

  test("a kernel reads one part of a buffer and writes another", async () => {
    const gpu = await testGpu();
    const quads = 64;
    const size = 16 * quads;
    const [both, other] = await pair(4 * size);
    const sent = Uint32Array.from({ length: 16 * quads }, (_, index) => index + 1);
    gpu.device.queue.writeBuffer(both, 0, sent);
    const part = (at: number): GPUBufferBinding => ({ buffer: both, offset: at * size, size });
    const away = await gpu.prepare(copy, { quads }, "f32", [part(0), other], "away");
    const within = await gpu.prepare(copy, { quads }, "f32", [part(1), part(2)], "within");
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const kernel of [away, within]) kernel.encode(pass);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
    const [inside, outside] = [await readBuffer(gpu, both), await readBuffer(gpu, other)];
    gpu.check();
    const expected = Uint32Array.from(sent);
    expected.copyWithin(8 * quads, 4 * quads, 8 * quads);
    expect(new Uint32Array(inside)).toEqual(expected);
    expect(new Uint32Array(outside).slice(0, 4 * quads)).toEqual(sent.slice(0, 4 * quads));
    gpu.destroyBuffer(both);
    gpu.destroyBuffer(other);
  });

  test("the wrong number of buffers is named with the bindings", async () => {
    const gpu = await testGpu();
    const [x] = await pair(16);
    await expect(gpu.prepare(copy, { quads: 1 }, "f32", [x], "lonely")).rejects.toThrow(
      "lonely: its kernel binds x, y; got 1 buffers",
    );
  });

  test.each([
    ["control: as many workgroups as the limit allows", 0, "fine"],
    ["one workgroup more is refused with the limit", 1, "each must lie in 1 … "],
  ])("%s", async (_, over, outcome) => {
    const gpu = await testGpu();
    const limit = gpu.device.limits.maxComputeWorkgroupsPerDimension;
    const [x, y] = await pair(16);
    const wide = { ...copy, grid: () => [limit + over, 1, 1] as const };
    const prepared = gpu.prepare(wide, { quads: 1 }, "f32", [x, y], "wide");
    const said = await prepared.then(
      () => "fine",
      (error: Error) => error.message,
    );
    expect(said).toContain(outcome);
  });

  test("a constant that the shader does not have is named", async () => {
    const gpu = await testGpu();
    const [x, y] = await pair(16);
    const strange = { ...copy, constants: () => ({ QUADS: 1, ROWS: 2 }) };
    await expect(gpu.prepare(strange, { quads: 1 }, "f32", [x, y], "strange")).rejects.toThrow(
      /kernel calibration\/copy .* makes no pipeline: [^]*ROWS/,
    );
  });

  test("a compiler message gives the line in the shader's own file", async () => {
    const gpu = await testGpu();
    const source = {
      name: "broken",
      code: "const a = 1;\n\nfn f() { nonsense(); }",
      parts: [{ name: "broken", linesBefore: 1 }],
    };
    await expect(compileModule(gpu.device, source)).rejects.toThrow(
      /shaders\/broken\.wgsl:2:10: .*nonsense/,
    );
  });
});
