// How kernels are tiled that add up columns over all rows: a workgroup takes `COLUMN_LANES` quads of columns, and
// `ROW_LANES` invocations share the rows of each.

import { isCpuAdapter } from "./cpu_adapter.ts";
import type { AdapterTraits, Kernel } from "./kernel.ts";
import { ceilDiv, rowQuads } from "./storage.ts";

interface Table {
  readonly rows: number;
  readonly columns: number;
}

/** Into f32 that is written over, or added to. */
export interface Accumulating {
  /** What is there is added to; else it is written over. */
  readonly accumulate?: true;
}

/** On a CPU rows are not shared: adding up shares costs barriers. */
function lanesOf(adapter: AdapterTraits | undefined): { columns: number; rows: number } {
  return isCpuAdapter(adapter)
    ? { columns: adapter.subgroupSize.max, rows: 1 }
    : { columns: 16, rows: 16 };
}

/** Constants and grid of such a kernel. */
export function inColumns<Shape extends Table & Accumulating>(
  constantsOf: (shape: Shape) => Record<string, number>,
): Pick<Kernel<Shape>, "constants" | "grid"> {
  return {
    constants: (shape, adapter) => ({
      ROWS: shape.rows,
      COLUMNS: shape.columns,
      ACCUMULATE: shape.accumulate === true ? 1 : 0,
      COLUMN_LANES: lanesOf(adapter).columns,
      ROW_LANES: lanesOf(adapter).rows,
      ...constantsOf(shape),
    }),
    grid: ({ columns }, adapter) => [ceilDiv(rowQuads(columns), lanesOf(adapter).columns), 1, 1],
  };
}

/** Bytes of such a result of so many elements. */
export function accumulatedBytes({ accumulate }: Accumulating, elements: number): number {
  return (accumulate === true ? 8 : 4) * elements;
}
