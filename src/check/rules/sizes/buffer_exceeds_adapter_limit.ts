// No buffer of the plan is larger than one buffer may be on the adapter. It is judged by the largest matrix and the
// largest activation of each layer on one GPU; a matrix that is not trained lies in as many buffers as bindings take. What
// is really allocated, the program says.

import {
  fieldPath,
  groupSize,
  nameOf,
  type PlacedLayer,
  placedLayers,
} from "../../../plan/layers.ts";
import { planLayerOf } from "../../../plan/layers/layers.ts";
import type { Plan } from "../../../plan/plan.ts";
import { valueBytes } from "../../../program/key_value_cache.ts";
import { commonBinding } from "../../../program/tile.ts";
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
    const limit = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
    const limitName =
      limits.maxStorageBufferBindingSize <= limits.maxBufferSize
        ? "maxStorageBufferBindingSize"
        : "maxBufferSize";
    let largest = 0;
    const faults = placedLayers(plan).flatMap((placed) => {
      const size = largestBytes(plan, placed);
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

function largestBytes(plan: Plan, placed: PlacedLayer): number {
  const { layer, inputRows, outputRows, inputWidth = 0, outputWidth = 0 } = placed;
  const rows = Math.ceil(inputRows / Math.max(1, layer.groups.length));
  const passing = Math.max(rows * inputWidth, Math.min(rows, outputRows) * outputWidth);
  const own = planLayerOf(layer).buffers(layer, groupSize(layer), rows);
  const { weights = [], activations = [] } = own;
  const bytes = valueBytes(plan);
  const isCut = plan.workload.optimizer === undefined;
  const most = isCut ? (plan.hardware.maxBinding ?? commonBinding) : Infinity;
  return Math.max(
    bytes * Math.max(passing, ...activations),
    Math.min(most, bytes * Math.max(0, ...weights)),
  );
}
