// A rule that needs an adapter: no buffer of the plan is larger than one buffer may be there.
//
// It judges by the largest matrix and the largest activation of each layer on one GPU. What is really
// allocated, the program says.

import { valueBytes } from "../../program/memory.ts";
import type { Diagnostic } from "../../plan/diagnostic.ts";
import { fieldPath, groupSize, nameOf, type PlacedLayer, placedLayers } from "../../plan/layers.ts";
import type { Plan } from "../../plan/plan.ts";
import { error, info } from "../../plan/rules/rule.ts";

/** As WebGPU names them, in bytes. */
export interface AdapterLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
}

/** Errors for each layer that has a larger buffer than the adapter takes; an info where all fit. */
export const buffersFitAdapter = (plan: Plan, limits: AdapterLimits): Diagnostic[] => {
  const bytes = valueBytes(plan);
  const limit = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  const limitName =
    limits.maxStorageBufferBindingSize <= limits.maxBufferSize
      ? "maxStorageBufferBindingSize"
      : "maxBufferSize";
  let largest = 0;
  const faults = placedLayers(plan).flatMap((placed) => {
    const size = bytes * largestElements(placed);
    largest = Math.max(largest, size);
    return size <= limit
      ? []
      : [
          error(
            "buffer-exceeds-adapter-limit",
            fieldPath(plan, placed),
            `${nameOf(plan, placed)} needs a buffer of ${size} bytes, the adapter's ${limitName} is ${limit}`,
            "split the layer over more GPUs, or use more micro-batches",
          ),
        ];
  });
  if (faults.length > 0) return faults;
  return [
    info(
      "buffers-fit-adapter",
      ["hardware"],
      `the largest buffer has ${largest} bytes, the adapter's ${limitName} is ${limit}`,
    ),
  ];
};

const largestElements = (placed: PlacedLayer): number => {
  const { layer, inputRows, outputRows, inputWidth = 0, outputWidth = 0 } = placed;
  const rows = Math.ceil(inputRows / Math.max(1, layer.groups.length));
  const passing = Math.max(rows * inputWidth, Math.min(rows, outputRows) * outputWidth);
  return Math.max(passing, ...ownBuffers(placed, rows));
};

/** Weights and inner activations on one GPU of the group. */
const ownBuffers = ({ layer }: PlacedLayer, rows: number): number[] => {
  const members = groupSize(layer);
  switch (layer.op) {
    case "linear":
      return [(layer.in * layer.out) / (layer.split === "replicated" ? 1 : members)];
    case "embedding":
      return [(layer.vocabulary * layer.hidden) / (layer.split === "replicated" ? 1 : members)];
    case "attention": {
      const columns = (layer.headDim * layer.heads) / members;
      return [layer.hidden * columns, rows * columns];
    }
    case "mlp":
      return [(layer.hidden * layer.ffn) / members, (rows * layer.ffn) / members];
    case "moe": {
      const owners = Math.max(1, layer.expertGroups.flat(2).length);
      const routed = (rows * layer.groups.length * layer.topK) / owners;
      const sharers = layer.expertGroups[0]?.flat().length ?? 1;
      return [(layer.hidden * layer.ffn * layer.experts) / sharers, routed * layer.ffn];
    }
    case "norm":
    case "residual":
    case "aggregate":
      return [];
  }
};
