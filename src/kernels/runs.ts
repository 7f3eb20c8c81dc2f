// How kernels are tiled that compute each quad of their result by itself: a workgroup takes a run of
// consecutive quads, `RUN` for each of its `WORKGROUP` invocations, which stride over it together.

import { fold, workgroupSize } from "./grid.ts";
import type { AdapterTraits, Kernel } from "./kernel.ts";
import { isNarrow } from "./narrow.ts";
import { ceilDiv } from "./storage.ts";

/** Longer runs save nothing more on CPUs; GPUs want many invocations. */
const longestRun = { narrow: 64, wide: 4 } as const;

/** Workgroups below which runs are not made longer: they would leave cores without work. */
const enoughWorkgroups = { narrow: 32, wide: 2048 } as const;

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
    const width = isNarrow(adapter) ? "narrow" : "wide";
    const workgroups = ceilDiv(quadsOf(shape), workgroupSize);
    const run = Math.min(longestRun[width], ceilDiv(workgroups, enoughWorkgroups[width]));
    return { run: Math.max(1, run), workgroups: ceilDiv(workgroups, Math.max(1, run)) };
  };
  return {
    constants: (shape, adapter) => ({
      ...constantsOf(shape),
      RUN: split(shape, adapter).run,
      WORKGROUP: workgroupSize,
    }),
    grid: (shape, adapter) => [...fold(split(shape, adapter).workgroups), 1],
  };
}
