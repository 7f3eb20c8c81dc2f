// Adapters that are CPUs: their subgroups are SIMD registers.

import type { AdapterTraits } from "./kernel.ts";

/** With subgroups of always as many lanes. */
type CpuAdapter = AdapterTraits & Required<Pick<AdapterTraits, "subgroupSize">>;

/**
 * Where subgroups have 8 lanes or fewer, an invocation costs more than another step of a loop and a barrier
 * costs a visit of every subgroup, so that few invocations with much to do are faster than many.
 */
export function isCpuAdapter(adapter: AdapterTraits | undefined): adapter is CpuAdapter {
  const size = adapter?.subgroupSize;
  return size !== undefined && size.min === size.max && size.max <= 8;
}
