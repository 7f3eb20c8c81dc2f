// How invocations are dealt to workgroups. WebGPU allows 65,535 workgroups per dimension, so long rows of
// workgroups are folded into a second dimension; shaders find their place with `num_workgroups`.

import type { Grid } from "./kernel.ts";
import { ceilDiv } from "./storage.ts";

const largestDimension = 65_535;

/** Invocations to a workgroup where they have nothing to share. */
export const workgroupSize = 64;

/** At least `count` in two dimensions, each within the limit, with fewer than `y` to spare. */
export function fold(count: number): readonly [x: number, y: number] {
  const y = Math.max(1, ceilDiv(count, largestDimension));
  return [Math.max(1, ceilDiv(count, y)), y];
}

/** Grid of independent invocations, `workgroupSize` to a workgroup. */
export function flatGrid(invocations: number): Grid {
  return [...fold(ceilDiv(invocations, workgroupSize)), 1];
}
