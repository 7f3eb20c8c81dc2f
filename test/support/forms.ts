// Every form of a kernel as a kernel of its own, so that each can be tested where another would be chosen.

import { type Form, formsOf } from "../../src/kernels/form.ts";
import type { AdapterTraits, Kernel, SubgroupMatrix } from "../../src/kernels/kernel.ts";
import type { StorageType } from "../../src/kernels/storage.ts";

/** The kernel's own shader and all tilings of the variants that run on the adapter, for one shape. */
export const formKernels = <Shape>(
  kernel: Kernel<Shape>,
  shape: Shape,
  adapter: AdapterTraits,
  dtype: StorageType,
): Kernel<Shape>[] => formsOf(kernel, shape, adapter, dtype).map((form) => fixedTo(kernel, form));

/** The kernel with no choice left. */
export const fixedTo = <Shape>(
  kernel: Kernel<Shape>,
  { name, constants, grid, prelude }: Form,
): Kernel<Shape> => ({
  ...kernel,
  name,
  shader: name,
  constants: () => constants,
  grid: () => grid,
  ...(prelude === undefined ? {} : { prelude: () => prelude }),
  variants: [],
});

/** The kernel's own shader, split as on adapters with wide subgroups or none. */
export const asOnGpus = <Shape>(kernel: Kernel<Shape>, shape: Shape): Kernel<Shape> => {
  const [own] = formsOf(kernel, shape, { features: [], limits: {} }, "f32");
  if (own === undefined) throw new Error(`${kernel.name} has no form of its own`);
  return fixedTo(kernel, own);
};

/** Names of all forms, whether or not an adapter runs them. */
export const formNames = <Shape>({ name, shader, variants = [] }: Kernel<Shape>): string[] => [
  shader ?? name,
  ...variants.map((variant) => variant.name),
];

/** What an adapter offers whose subgroups have that many lanes. */
export const withSubgroups = (min: number, max: number = min): AdapterTraits => ({
  features: ["subgroups"],
  limits: {},
  subgroupSize: { min, max },
});

/** What an adapter offers whose subgroups have 32 lanes and multiply these matrices, if any. */
export const withMatrices = (subgroupMatrices?: readonly SubgroupMatrix[]): AdapterTraits => ({
  features: ["shader-f16", "subgroups"],
  limits: {},
  subgroupSize: { min: 32, max: 32 },
  ...(subgroupMatrices && { subgroupMatrices }),
});
