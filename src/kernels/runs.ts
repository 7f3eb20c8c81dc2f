// How kernels are tiled that compute each quad of their result by itself: a workgroup takes a run of
// consecutive quads, `RUN` for each of its `WORKGROUP` invocations, which stride over it together.

import { fold, workgroupSize } from "./grid.ts";
import type { AdapterTraits, Kernel } from "./kernel.ts";
import { isCpuAdapter } from "./cpu_adapter.ts";
import { ceilDiv } from "./storage.ts";

/** Longer runs save nothing more on CPUs; GPUs want many invocations. */
const longestRun = { cpu: 128, gpu: 4 } as const;

/** Workgroups below which runs are not made longer: they would leave cores without work. */
const enoughWorkgroups = { cpu: 32, gpu: 2048 } as const;

/**
 * CPUs let one subgroup run to its end before the next: a workgroup of one subgroup walks through memory
 * without gaps.
 */
function workgroupOf(adapter: AdapterTraits | undefined): number {
  return isCpuAdapter(adapter) ? adapter.subgroupSize.max : workgroupSize;
}

/**
 * Constants and grid of such a kernel.
 *
 * @param quadsOf quads of the result
 * @param constantsOf besides `RUN` and `WORKGROUP`
 */
export function inRuns<Shape>(
  quadsOf: (shape: Shape) => number,
  constantsOf: (shape: Shape) => Record<string, number>,
): Pick<Kernel<Shape>, "constants" | "grid"> {
  const split = (shape: Shape, adapter: AdapterTraits | undefined) => {
    const kind = isCpuAdapter(adapter) ? "cpu" : "gpu";
    const workgroup = workgroupOf(adapter);
    const workgroups = ceilDiv(quadsOf(shape), workgroup);
    const run = Math.min(
      longestRun[kind],
      Math.max(1, ceilDiv(workgroups, enoughWorkgroups[kind])),
    );
    return { run, workgroup, workgroups: ceilDiv(workgroups, run) };
  };
  return {
    constants: (shape, adapter) => {
      const { run, workgroup } = split(shape, adapter);
      return { ...constantsOf(shape), RUN: run, WORKGROUP: workgroup };
    },
    grid: (shape, adapter) => [...fold(split(shape, adapter).workgroups), 1],
  };
}
