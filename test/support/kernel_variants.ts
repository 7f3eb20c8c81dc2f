// Every variant of a kernel as a kernel of its own, so that each can be tested where another would be chosen.

import { type Variant, variantsOf } from "../../src/kernels/variant.ts";
import type { AdapterTraits, Kernel, SubgroupMatrix } from "../../src/kernels/kernel.ts";
import type { StorageType } from "../../src/kernels/storage.ts";

/** The kernel's own shader and all tilings of the alternatives that run on the adapter, for one shape. */
export function variantKernels<Shape>(
  kernel: Kernel<Shape>,
  shape: Shape,
  adapter: AdapterTraits,
  dtype: StorageType,
): Kernel<Shape>[] {
  return variantsOf(kernel, shape, adapter, dtype).map((variant) => fixedTo(kernel, variant));
}

/** The kernel with no choice left. */
export function fixedTo<Shape>(
  kernel: Kernel<Shape>,
  { name, constants, grid, prelude }: Variant,
): Kernel<Shape> {
  return {
    ...kernel,
    name,
    shader: name,
    constants: () => constants,
    grid: () => grid,
    ...(prelude === undefined ? {} : { prelude: () => prelude }),
    alternatives: [],
  };
}

/** The kernel's own shader, split as on adapters with wide subgroups or none. */
export function asOnGpus<Shape>(kernel: Kernel<Shape>, shape: Shape): Kernel<Shape> {
  const [own] = variantsOf(kernel, shape, { features: [], limits: {} }, "f32");
  if (own === undefined) throw new Error(`${kernel.name} has no variant of its own`);
  return fixedTo(kernel, own);
}

/** Names of all variants, whether or not an adapter runs them. */
export function variantNames<Shape>({ name, shader, alternatives = [] }: Kernel<Shape>): string[] {
  return [shader ?? name, ...alternatives.map((alternative) => alternative.name)];
}

/** What an adapter offers whose subgroups have that many lanes. */
export function withSubgroups(min: number, max: number = min): AdapterTraits {
  return {
    features: ["subgroups"],
    limits: {},
    subgroupSize: { min, max },
  };
}

/** What an adapter offers whose subgroups have 32 lanes and multiply these matrices, if any. */
export function withMatrices(subgroupMatrices?: readonly SubgroupMatrix[]): AdapterTraits {
  return {
    features: ["shader-f16", "subgroups"],
    limits: {},
    subgroupSize: { min: 32, max: 32 },
    ...(subgroupMatrices && { subgroupMatrices }),
  };
}
