// Which shaders compute a kernel on an adapter.

import type { AdapterTraits, Kernel, Tiling } from "./kernel.ts";
import type { StorageType } from "./storage.ts";

/** One shader with its numbers for one shape. */
export interface Variant extends Tiling {
  /** As in `shaders/<name>.wgsl`. */
  readonly name: string;
}

/** The first tiling of the first alternative that is right and preferred, else the kernel's own shader. */
export function variantOf<Shape>(
  kernel: Kernel<Shape>,
  shape: Shape,
  adapter: AdapterTraits,
  dtype: StorageType,
): Variant {
  const alternative = kernel.alternatives?.find(
    ({ runsOn, isPreferred }) => runsOn(adapter, dtype, shape) && isPreferred(shape, adapter),
  );
  return alternative === undefined
    ? ownVariant(kernel, shape, adapter)
    : { name: alternative.name, ...alternative.tilings(shape, adapter, dtype)[0] };
}

/** All that give right results, the kernel's own shader first. */
export function variantsOf<Shape>(
  kernel: Kernel<Shape>,
  shape: Shape,
  adapter: AdapterTraits,
  dtype: StorageType,
): Variant[] {
  const alternatives = (kernel.alternatives ?? []).filter(({ runsOn }) =>
    runsOn(adapter, dtype, shape),
  );
  return [
    ownVariant(kernel, shape, adapter),
    ...alternatives.flatMap(({ name, tilings }) =>
      tilings(shape, adapter, dtype).map((tiling) => ({ name, ...tiling })),
    ),
  ];
}

function ownVariant<Shape>(
  { name, shader, constants, grid, prelude }: Kernel<Shape>,
  shape: Shape,
  adapter: AdapterTraits,
): Variant {
  return {
    name: shader ?? name,
    constants: constants(shape, adapter),
    grid: grid(shape, adapter),
    ...(prelude === undefined ? {} : { prelude: prelude(adapter) }),
  };
}
