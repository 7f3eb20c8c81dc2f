import { afterAll, expect, test } from "vitest";
import { readBuffer } from "../../src/gpu/read_back.ts";
import { compileModule } from "../../src/gpu/dispatch.ts";
import { loadShader } from "../../src/gpu/shader_source.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";

// Values that f16 holds exactly, so that both ways of storing it must return them unchanged.
const values = [
  0,
  -0,
  1,
  -1,
  0.5,
  65504,
  -65504,
  2 ** -14,
  2 ** -24,
  1 / 3 - ((1 / 3) % 2 ** -11),
  7,
  2048,
];

const roundTrip = `
@group(0) @binding(0) var<storage, read_write> y: array<Quad>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3u) {
  y[id.x] = packQuad(unpackQuad(packQuad(x[id.x])));
}`;

describeOnAdapter("storage preludes", () => {
  afterAll(async () => (await testGpu()).close());

  test.each(["storage/f32", "storage/f16_packed", "storage/f16_native"])(
    "%s stores what f16 can hold unchanged",
    async (prelude) => {
      const gpu = await testGpu();
      if (prelude === "storage/f16_native" && !gpu.device.features.has("shader-f16")) return;
      const source = await loadShader(prelude);
      const module = await compileModule(gpu.device, { ...source, code: source.code + roundTrip });
      const pipeline = await gpu.device.createComputePipelineAsync({
        layout: "auto",
        compute: { module },
      });
      const quad = prelude === "storage/f32" ? 16 : 8;
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
      const x = await gpu.createBuffer("x", values.length * 4, usage);
      const y = await gpu.createBuffer("y", (values.length / 4) * quad, usage);
      gpu.device.queue.writeBuffer(x, 0, new Float32Array(values));
      const encoder = gpu.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        gpu.device.createBindGroup({
          layout: pipeline.getBindGroupLayout(0),
          entries: [
            { binding: 0, resource: { buffer: y } },
            { binding: 1, resource: { buffer: x } },
          ],
        }),
      );
      pass.dispatchWorkgroups(values.length / 4);
      pass.end();
      gpu.device.queue.submit([encoder.finish()]);
      const stored = await readBuffer(gpu, y);
      const halves = new Uint16Array(stored);
      const expected = values.map(halfBits);
      if (quad === 16) expect([...new Float32Array(stored)]).toEqual(values);
      else expect([...halves]).toEqual(expected);
      gpu.destroyBuffer(x);
      gpu.destroyBuffer(y);
    },
  );
});

/** IEEE half bits of a number that f16 holds exactly. */
function halfBits(value: number): number {
  const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size < 2 ** -14) return sign | (size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  return sign | ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024);
}
