// Which shaders compute a kernel on an adapter.

import type { AdapterTraits, Kernel, Tiling } from "./kernel.ts";
import type { StorageType } from "./storage.ts";

/** One shader with its numbers for one shape. */
export interface Form extends Tiling {
  /** As in `shaders/<name>.wgsl`. */
  readonly name: string;
}

/** The first tiling of the first variant that is right and suits, else the kernel's own shader. */
export function formOf<Shape>(
  kernel: Kernel<Shape>,
  shape: Shape,
  adapter: AdapterTraits,
  dtype: StorageType,
): Form {
  const variant = kernel.variants?.find(
    ({ runsOn, suits }) => runsOn(adapter, dtype, shape) && suits(shape, adapter),
  );
  return variant === undefined
    ? ownForm(kernel, shape, adapter)
    : { name: variant.name, ...variant.tilings(shape, adapter, dtype)[0] };
}

/** All that give right results, the kernel's own shader first. */
export function formsOf<Shape>(
  kernel: Kernel<Shape>,
  shape: Shape,
  adapter: AdapterTraits,
  dtype: StorageType,
): Form[] {
  const variants = (kernel.variants ?? []).filter(({ runsOn }) => runsOn(adapter, dtype, shape));
  return [
    ownForm(kernel, shape, adapter),
    ...variants.flatMap(({ name, tilings }) =>
      tilings(shape, adapter, dtype).map((tiling) => ({ name, ...tiling })),
    ),
  ];
}

const ownForm = <Shape>(
  { name, shader, constants, grid, prelude }: Kernel<Shape>,
  shape: Shape,
  adapter: AdapterTraits,
): Form => ({
  name: shader ?? name,
  constants: constants(shape, adapter),
  grid: grid(shape, adapter),
  ...(prelude === undefined ? {} : { prelude: prelude(adapter) }),
});
