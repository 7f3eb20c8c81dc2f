// From a kernel, a shape and buffers to something that can be encoded again and again.

import { type Variant, variantOf } from "../kernels/variant.ts";
import { type AdapterTraits, type Binding, bindingsOf, type Grid } from "../kernels/kernel.ts";
import { EnvironmentError } from "../environment_error.ts";
import type { LogicalGpu, PreparedKernel } from "./logical_gpu.ts";
import { messageOf } from "./message_of.ts";
import {
  declareWritable,
  describeMessages,
  loadShader,
  type ShaderSource,
  storagePrelude,
} from "./shader_source.ts";

export type Prepare = LogicalGpu["prepare"];

/**
 * `prepare` for one device, with its own cache of modules and pipelines.
 *
 * @param adapter decides which variants run
 */
export function createPrepare(device: GPUDevice, adapter: AdapterTraits): Prepare {
  const modules = new Map<string, Promise<GPUShaderModule>>();
  const pipelines = new Map<string, Promise<GPUComputePipeline>>();

  const moduleOf = (
    name: string,
    preludes: readonly string[],
    writable: readonly number[],
  ): Promise<GPUShaderModule> =>
    remember(modules, [name, ...preludes, writable].join(" "), async () =>
      compileModule(device, declareWritable(await loadShader(name, ...preludes), writable)),
    );

  return async (kernel, shape, dtype, buffers, label, wanted): Promise<PreparedKernel> => {
    const bindings = bindingsOf(kernel, shape);
    const variant = wanted ?? variantOf(kernel, shape, adapter, dtype);
    const preludes = [
      storagePrelude(dtype, device.features),
      ...(kernel.preludes?.(shape) ?? []),
      ...(variant.prelude === undefined ? [] : [variant.prelude]),
    ];
    if (buffers.length !== bindings.length) {
      const names = bindings.map(({ name }) => name).join(", ");
      throw new Error(`${label}: its kernel binds ${names}; got ${buffers.length} buffers`);
    }
    const writable = readOfWritten(bindings, buffers);
    const key = [variant.name, ...preludes, JSON.stringify(variant.constants), writable].join(" ");
    const pipeline = await remember(pipelines, key, async () =>
      compilePipeline(
        device,
        bindings,
        variant,
        await moduleOf(variant.name, preludes, writable),
        writable,
      ),
    );
    const bindGroup = await bind(device, bindings, pipeline, buffers, label);
    const grid = checkedGrid(device, variant, label);
    return {
      label:
        variant.name === (kernel.shader ?? kernel.name) ? label : `${label} by ${variant.name}`,
      variant,
      encode(pass) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(...grid);
      },
    };
  };
}

/** Slots of what a dispatch reads of buffers that it also writes. */
function readOfWritten(
  bindings: readonly Binding[],
  buffers: readonly (GPUBuffer | GPUBufferBinding)[],
): number[] {
  const bufferAt = (index: number): GPUBuffer | undefined => {
    const bound = buffers[index];
    return bound !== undefined && "buffer" in bound ? bound.buffer : bound;
  };
  const written = new Set(
    bindings.flatMap(({ access }, index) => (access === "read" ? [] : [bufferAt(index)])),
  );
  return bindings.flatMap(({ access, slot }, index) =>
    access === "read" && written.has(bufferAt(index)) ? [slot ?? index] : [],
  );
}

function remember<Value>(
  cache: Map<string, Promise<Value>>,
  key: string,
  make: () => Promise<Value>,
): Promise<Value> {
  let value = cache.get(key);
  if (value === undefined) {
    value = make();
    cache.set(key, value);
  }
  return value;
}

/** Throws with the compiler's messages, each with its place in the shader's file. */
export async function compileModule(
  device: GPUDevice,
  source: ShaderSource,
): Promise<GPUShaderModule> {
  for (const [extension, feature] of [
    ["f16", "shader-f16"],
    ["subgroups", "subgroups"],
  ] as const) {
    if (new RegExp(`^enable ${extension};`, "m").test(source.code) && !device.features.has(feature))
      throw new EnvironmentError(
        "missing-feature",
        `shaders/${source.name}.wgsl needs ${feature}, which ${device.label} lacks`,
        "choose an adapter that has it; `shardbench adapters` lists their features",
      );
  }
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ label: source.name, code: source.code });
  const [error, info] = await Promise.all([device.popErrorScope(), module.getCompilationInfo()]);
  if (error !== null) {
    throw new Error(
      `shader ${source.name} does not compile\n${describeMessages(source, info.messages) || error.message}`,
    );
  }
  return module;
}

async function compilePipeline(
  device: GPUDevice,
  bindings: readonly Binding[],
  { name, constants }: Variant,
  module: GPUShaderModule,
  writable: readonly number[],
): Promise<GPUComputePipeline> {
  const label = `${name} ${JSON.stringify(constants)}`;
  const bindGroupLayout = device.createBindGroupLayout({
    label: name,
    entries: bindings.map(({ access, slot }, index) => {
      const binding = slot ?? index;
      const isRead = access === "read" && !writable.includes(binding);
      return {
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: isRead ? "read-only-storage" : "storage" },
      } as const;
    }),
  });
  try {
    return await device.createComputePipelineAsync({
      label,
      layout: device.createPipelineLayout({
        label: name,
        bindGroupLayouts: [bindGroupLayout],
      }),
      compute: { module, constants },
    });
  } catch (cause) {
    throw new Error(`kernel ${label} makes no pipeline: ${messageOf(cause)}`, { cause });
  }
}

async function bind(
  device: GPUDevice,
  bindings: readonly Binding[],
  pipeline: GPUComputePipeline,
  buffers: readonly (GPUBuffer | GPUBufferBinding)[],
  label: string,
): Promise<GPUBindGroup> {
  device.pushErrorScope("validation");
  const bindGroup = device.createBindGroup({
    label,
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, index) => ({
      binding: bindings[index]?.slot ?? index,
      resource: "buffer" in buffer ? buffer : { buffer },
    })),
  });
  const error = await device.popErrorScope();
  if (error !== null) throw new Error(`${label}: ${error.message}`);
  return bindGroup;
}

function checkedGrid(device: GPUDevice, { name, grid }: Variant, label: string): Grid {
  const limit = device.limits.maxComputeWorkgroupsPerDimension;
  if (!grid.every((size) => Number.isInteger(size) && size >= 1 && size <= limit)) {
    throw new Error(
      `${label}: kernel ${name} asks for a grid of ${grid.join(" × ")} workgroups; each must lie in 1 … ${limit}`,
    );
  }
  return grid;
}
