// A process with a GPU of its own that reads back, uploads or copies as many bytes as it is told, as a
// collective does but with nobody to exchange them with. Runs the compiled program, as rank processes do.

import { openGpu } from "../dist/gpu/open.js";
import { hostMs } from "../dist/gpu/timestamps.js";
import { chunkBytes, stagingSizes } from "../dist/program/exchange/chunks.js";

let gpu;
let buffer;
let other;
let staging;
let host;

async function open({ choice, bytes }) {
  gpu = await openGpu(choice);
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  buffer = await gpu.createBuffer("alone", bytes, STORAGE | COPY_SRC | COPY_DST);
  other = await gpu.createBuffer("other", bytes, STORAGE | COPY_DST);
  staging = await Promise.all(
    stagingSizes([bytes]).map((size) => gpu.createBuffer("staging", size, COPY_DST | MAP_READ)),
  );
  host = new Uint8Array(bytes).fill(1);
}

function copyOut(target, offset, size) {
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, offset, target, 0, size);
  gpu.device.queue.submit([encoder.finish()]);
  return target.mapAsync(GPUMapMode.READ, 0, size);
}

/** Bytes become visible to the host, which does nothing with them. */
async function readback(bytes) {
  const free = [...staging];
  let last = Promise.resolve();
  const read = async (offset, target) => {
    await copyOut(target, offset, Math.min(chunkBytes, bytes - offset));
    target.getMappedRange();
    target.unmap();
    free.push(target);
  };
  for (let offset = 0; offset < bytes; offset += chunkBytes) {
    while (free.length === 0) await last;
    last = read(offset, free.shift());
  }
  await last;
}

async function upload(bytes) {
  for (let offset = 0; offset < bytes; offset += chunkBytes) {
    const size = Math.min(chunkBytes, bytes - offset);
    gpu.device.queue.writeBuffer(buffer, offset, host.buffer, offset, size);
    gpu.device.queue.submit([]);
  }
  await gpu.device.queue.onSubmittedWorkDone();
}

/** Without chunks, as the calibration does it. */
async function whole(bytes) {
  const { COPY_DST, MAP_READ } = GPUBufferUsage;
  const target = await gpu.createBuffer("whole", bytes, COPY_DST | MAP_READ);
  const before = hostMs();
  await copyOut(target, 0, bytes);
  target.getMappedRange();
  target.unmap();
  gpu.device.queue.writeBuffer(buffer, 0, host.buffer, 0, bytes);
  await gpu.device.queue.onSubmittedWorkDone();
  const ms = hostMs() - before;
  gpu.destroyBuffer(target);
  return ms;
}

async function copy(bytes) {
  host.copyWithin(0, host.length - bytes);
}

/** From one buffer to another on the GPU. */
async function keep(bytes) {
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, other, 0, bytes);
  gpu.device.queue.submit([encoder.finish()]);
  await gpu.device.queue.onSubmittedWorkDone();
}

async function roundTrips(count) {
  for (let i = 0; i < count; i++) {
    await copyOut(staging[0], 0, 8);
    staging[0].unmap();
  }
}

const actions = { readback, upload, copy, keep, roundTrips };

async function act({ action, amount }) {
  const cpu = process.cpuUsage();
  const before = hostMs();
  const own = action === "whole" ? await whole(amount) : await actions[action](amount);
  const ms = own ?? hostMs() - before;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000 };
}

process.on("message", (message) => {
  const done = message.kind === "open" ? open(message) : act(message);
  void done.then((taken) => process.send(taken ?? {}));
});
process.on("disconnect", () => process.exit(0));
