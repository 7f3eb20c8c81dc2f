import type { AdapterTraits } from "./kernel.ts";

/** 0 where subgroups are missing or differ in size: what broadcasts lanes is laid out for one size. */
export function subgroupSizeOf({ subgroupSize }: AdapterTraits): number {
  return subgroupSize !== undefined && subgroupSize.min === subgroupSize.max ? subgroupSize.min : 0;
}
