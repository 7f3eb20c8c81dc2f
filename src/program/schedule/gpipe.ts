// GPipe: all forward passes, then all backward passes. Every micro-batch is in flight at once.

import { backwardSlots, forwardSlots, type Extent, type Slot } from "./slot.ts";

/** The same on every position. */
export const gpipe = (extent: Extent): Slot[] => [
  ...forwardSlots(extent),
  ...backwardSlots(extent),
];
