// What Dawn says of an adapter, as plain data.

import type { SubgroupMatrix } from "../kernels/kernel.ts";
import type { AdapterChoice, AdapterReport } from "./adapter.ts";

export function describeAdapter(choice: AdapterChoice, adapter: GPUAdapter): AdapterReport {
  const { info } = adapter;
  const { subgroupMinSize: min, subgroupMaxSize: max } = info;
  return {
    choice,
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    driver: info.description,
    features: [...adapter.features].toSorted(),
    limits: readLimits(adapter.limits),
    ...(adapter.features.has("subgroups") && min !== undefined && max !== undefined
      ? { subgroupSize: { min, max } }
      : {}),
    ...(adapter.features.has(matrixFeature) ? { subgroupMatrices: readMatrices(info) } : {}),
  };
}

const matrixFeature: string = "chromium-experimental-subgroup-matrix";

/** Experimental: the types of WebGPU do not know it, and what it holds is not taken on trust. */
function readMatrices(info: GPUAdapterInfo): SubgroupMatrix[] {
  const configs: unknown = Reflect.get(info, "subgroupMatrixConfigs");
  if (!isIterable(configs)) return [];
  return [...configs].flatMap((config) => {
    if (typeof config !== "object" || config === null) return [];
    const [component, result, m, n, k]: unknown[] = [
      "componentType",
      "resultComponentType",
      "M",
      "N",
      "K",
    ].map((name) => Reflect.get(config, name));
    return isFloat(component) && isFloat(result) && isSize(m) && isSize(n) && isSize(k)
      ? [{ component, result, m, n, k }]
      : [];
  });
}

function isFloat(value: unknown): value is "f16" | "f32" {
  return value === "f16" || value === "f32";
}

function isSize(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

/** Limits are accessors of the prototype, which spreading does not copy. */
function readLimits(limits: GPUSupportedLimits): Record<string, number> {
  const values: Record<string, number> = {};
  for (const name in limits) {
    const value: unknown = Reflect.get(limits, name);
    if (typeof value === "number") values[name] = value;
  }
  return values;
}
