// GPipe: all forward passes, then all backward passes. Every micro-batch is in flight at once.

import { backwardSlots, forwardSlots, type Extent, type Slot } from "./slot.ts";

/** The same on every pipeline rank. */
export function gpipe(extent: Extent): Slot[] {
  return [...forwardSlots(extent), ...backwardSlots(extent)];
}
