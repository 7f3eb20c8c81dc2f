import { afterAll, expect, test } from "vitest";
import { compileModule } from "../../src/gpu/dispatch.ts";
import { readBuffer } from "../../src/gpu/read_back.ts";
import { loadShader } from "../../src/gpu/shader_source.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";

// Numbers that f16 holds exactly, and their IEEE half bits.
const halves: readonly (readonly [number, number])[] = [
  [0, 0x0000],
  [-0, 0x8000],
  [1, 0x3c00],
  [-1, 0xbc00],
  [0.5, 0x3800],
  [65504, 0x7bff],
  [-65504, 0xfbff],
  [2 ** -14, 0x0400],
  [1365 / 4096, 0x3555],
  [7, 0x4700],
  [2048, 0x6800],
  [2047, 0x67ff],
];
const values = new Float32Array(halves.map(([value]) => value));
const packed = new Uint16Array(halves.map(([, bits]) => bits));

const roundTrip = `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> stored: array<Quad>;
@group(0) @binding(2) var<storage, read_write> back: array<vec4f>;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3u) {
  stored[id.x] = packQuad(x[id.x]);
  back[id.x] = unpackQuad(packQuad(x[id.x]));
}`;

describeOnAdapter("storage preludes", () => {
  afterAll(async () => (await testGpu()).close());

  test.each([
    ["storage/f32", values.buffer],
    ["storage/f16_packed", packed.buffer],
    ["storage/f16_native", packed.buffer],
  ])("%s lays numbers out as every other one does, and returns them", async (prelude, expected) => {
    const gpu = await testGpu();
    const needsF16 = prelude === "storage/f16_native";
    const source = await loadShader(
      needsF16 && !gpu.device.features.has("shader-f16") ? "storage/f16_packed" : prelude,
    );
    const module = await compileModule(gpu.device, { ...source, code: source.code + roundTrip });
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const x = await gpu.createBuffer("x", values.byteLength, usage);
    const stored = await gpu.createBuffer("stored", expected.byteLength, usage);
    const back = await gpu.createBuffer("back", values.byteLength, usage);
    gpu.device.queue.writeBuffer(x, 0, values);

    const pipeline = await gpu.device.createComputePipelineAsync({
      layout: "auto",
      compute: { module },
    });
    const bindGroup = gpu.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [x, stored, back].map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(values.length / 4);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);

    expect(new Uint8Array(await readBuffer(gpu, stored))).toEqual(new Uint8Array(expected));
    expect(new Float32Array(await readBuffer(gpu, back))).toEqual(values);
    for (const buffer of [x, stored, back]) gpu.destroyBuffer(buffer);
  });
});
