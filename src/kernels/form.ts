// Which shader computes a kernel on an adapter.

import type { AdapterTraits, Grid, Kernel } from "./kernel.ts";

/** One shader with its numbers for one shape. */
export interface Form {
  /** As in `shaders/<name>.wgsl`. */
  readonly name: string;
  readonly constants: Record<string, number>;
  readonly grid: Grid;
}

/** The first variant that is right and suits, else the kernel's own shader. */
export function formOf<Shape>(kernel: Kernel<Shape>, shape: Shape, adapter: AdapterTraits): Form {
  const variant = kernel.variants?.find(
    ({ runsOn, suits }) => runsOn(adapter) && suits(shape, adapter),
  );
  const { name, constants, grid } = variant ?? kernel;
  return { name, constants: constants(shape, adapter), grid: grid(shape, adapter) };
}
