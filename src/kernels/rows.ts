// How kernels are tiled that work on whole rows: `LANES` invocations, a workgroup, stride over the quads of
// some rows together.

import { fold } from "./grid.ts";
import type { AdapterTraits, Kernel } from "./kernel.ts";
import { isCpuAdapter } from "./cpu_adapter.ts";
import { ceilDiv, rowQuads } from "./storage.ts";

interface Rows {
  readonly rows: number;
  readonly columns: number;
}

/** Rows that some kernels take at once, one for each component of a vec4. */
export const rowsAtOnce = 4;

/**
 * Constants and grid of such a kernel.
 *
 * @param rowsPerGroup rows that a workgroup takes
 * @param constantsOf besides `LANES`
 */
export function inRows<Shape>(
  rowsPerGroup: number,
  rowsOf: (shape: Shape) => Rows,
  constantsOf: (shape: Shape) => Record<string, number>,
): Pick<Kernel<Shape>, "constants" | "grid"> {
  return {
    constants: (shape, adapter) => ({
      ...constantsOf(shape),
      LANES: lanesOf(rowsOf(shape).columns, adapter),
    }),
    grid: (shape) => [...fold(ceilDiv(rowsOf(shape).rows, rowsPerGroup)), 1],
  };
}

/** Which sums over lanes such a kernel uses. */
export function laneSums(adapter?: AdapterTraits): string {
  return isCpuAdapter(adapter) ? "lanes/subgroup" : "lanes/workgroup";
}

/** A power of two. Elsewhere than on CPUs, where it is one subgroup, about 4 quads for each lane. */
function lanesOf(columns: number, adapter: AdapterTraits | undefined): number {
  return isCpuAdapter(adapter)
    ? adapter.subgroupSize.max
    : Math.min(256, Math.max(32, 2 ** Math.ceil(Math.log2(rowQuads(columns) / 4))));
}
