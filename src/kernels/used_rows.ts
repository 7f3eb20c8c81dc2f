// Element-wise kernels on rows that are sorted by expert: how many are in use is known only when they run.

import { type Binding, read } from "./kernel.ts";

export interface UsedRows {
  /** Binding `offsets` u32 [experts + 1]; rows beyond the last are left as they are. */
  readonly grouped?: {
    readonly experts: number;
    /** As in `GroupedMatmulShape`. */
    readonly expectedRows: number;
  };
}

export function usedRowsBindings({ grouped }: UsedRows): Binding[] {
  return grouped === undefined ? [] : [{ ...read("offsets", "u32"), slot: 5 }];
}

export function usedRowsPrelude({ grouped }: UsedRows): string {
  return `used_rows/${grouped === undefined ? "all" : "grouped"}`;
}

export function usedRowsConstants({ grouped }: UsedRows): Record<string, number> {
  return grouped === undefined ? {} : { EXPERTS: grouped.experts };
}

/** Rows that FLOPs and bytes count. */
export function countedRows({ grouped, rows }: UsedRows & { readonly rows: number }): number {
  return grouped?.expectedRows ?? rows;
}
