// No buffer of the plan is larger than one buffer may be on the adapter. It is judged by the largest matrix and the
// largest activation of each layer on one GPU. What is really allocated, the program says.

import {
  fieldPath,
  groupSize,
  nameOf,
  type PlacedLayer,
  placedLayers,
} from "../../../plan/layers.ts";
import { planLayerOf } from "../../../plan/layers/layers.ts";
import { valueBytes } from "../../../program/key_value_cache.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const bufferExceedsAdapterLimit: DiagnosticDefinition = {
  code: "buffer-exceeds-adapter-limit",
  severity: "error",
  title: "Buffer Exceeds Adapter Limit",
  requires: "No buffer is larger than the adapter's maxBufferSize and maxStorageBufferBindingSize.",
  examples: {
    bad: degreesWith({ model: { hidden: 64 } }),
    good: degreesWith(),
    adapter: { maxBufferSize: 24_576, maxStorageBufferBindingSize: 24_576 },
  },
};

const buffersFitAdapter: DiagnosticDefinition = {
  code: "buffers-fit-adapter",
  severity: "info",
  title: "Adapter Limits",
  requires: "Confirms that every buffer is within the adapter's limits.",
  examples: {
    bad: degreesWith(),
    good: degreesWith({ model: { hidden: 64 } }),
    adapter: { maxBufferSize: 24_576, maxStorageBufferBindingSize: 24_576 },
  },
  section: "hardware",
};

export const buffersAreWithinLimits: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [bufferExceedsAdapterLimit, buffersFitAdapter],
  ofAdapter: (plan, limits) => {
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
            report(
              bufferExceedsAdapterLimit,
              fieldPath(plan, placed),
              `${nameOf(plan, placed)} needs a buffer of ${size} bytes, the adapter's ${limitName} is ${limit}`,
              "split the layer over more GPUs, or use more micro-batches",
            ),
          ];
    });
    if (faults.length > 0) return faults;
    return [
      report(
        buffersFitAdapter,
        ["hardware"],
        `the largest buffer has ${largest} bytes, the adapter's ${limitName} is ${limit}`,
      ),
    ];
  },
};

function largestElements(placed: PlacedLayer): number {
  const { layer, inputRows, outputRows, inputWidth = 0, outputWidth = 0 } = placed;
  const rows = Math.ceil(inputRows / Math.max(1, layer.groups.length));
  const passing = Math.max(rows * inputWidth, Math.min(rows, outputRows) * outputWidth);
  return Math.max(passing, ...planLayerOf(layer).buffers(layer, groupSize(layer), rows));
}
