import { type Kernel, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";

export interface ClearShape {
  /** A multiple of 4. */
  readonly elements: number;
}

/** y = 0, f32. */
export const clear: Kernel<ClearShape> = {
  name: "clear",
  bindings: [write("y", "f32")],
  ...inRuns<ClearShape>(
    ({ elements }) => elements / 4,
    ({ elements }) => ({ QUADS: elements / 4 }),
  ),
  flops: () => 0,
  bytes: ({ elements }) => 4 * elements,
};
