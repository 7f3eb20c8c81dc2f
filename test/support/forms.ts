// Every form of a kernel as a kernel of its own, so that each can be tested where another would be chosen.

import type { AdapterTraits, Kernel } from "../../src/kernels/kernel.ts";

/** The kernel's own shader and those of its variants that run on the adapter. */
export function formsOf<Shape>(kernel: Kernel<Shape>, adapter: AdapterTraits): Kernel<Shape>[] {
  const variants = (kernel.variants ?? []).filter(({ runsOn }) => runsOn(adapter));
  return [
    { ...kernel, variants: [] },
    ...variants.map(({ name, constants, grid }) => ({
      ...kernel,
      name,
      constants: (shape: Shape) => constants(shape, adapter),
      grid: (shape: Shape) => grid(shape, adapter),
      variants: [],
    })),
  ];
}

/** Names of all forms, whether or not an adapter runs them. */
export const formNames = <Shape>({ name, variants = [] }: Kernel<Shape>): string[] => [
  name,
  ...variants.map((variant) => variant.name),
];

/** What an adapter offers whose subgroups have that many lanes. */
export const withSubgroups = (min: number, max: number = min): AdapterTraits => ({
  features: ["subgroups"],
  limits: {},
  subgroupSize: { min, max },
});
