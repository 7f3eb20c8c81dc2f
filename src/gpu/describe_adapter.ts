// What Dawn says of an adapter, as plain data.

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
  };
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
