import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { kernelOf, kernels } from "../../src/kernels/catalog.ts";
import { bindingsOf, type Kernel } from "../../src/kernels/kernel.ts";
import { variantKernels, withSubgroups } from "../support/kernel_variants.ts";
import { sampleCalls } from "../support/sample_calls.ts";

const folder = new URL("../../shaders/", import.meta.url);
const shaderFiles = readdirSync(folder)
  .filter((file) => file.endsWith(".wgsl"))
  .map((file) => file.replace(".wgsl", ""));
function source(name: string): string {
  return readFileSync(new URL(`${name}.wgsl`, folder), "utf8");
}

const calledVariants = sampleCalls.flatMap((call) =>
  variantKernels(kernelOf(call), call.shape, withSubgroups(8), "f32").map(
    (variant) => [variant.name, variant, call.shape] as const,
  ),
);

function byIndex(a: { readonly index: number }, b: { readonly index: number }): number {
  return a.index - b.index;
}

test("every kernel and alternative has a shader and every shader one of them", () => {
  const names = Object.values(kernels).flatMap(
    ({ name, shader, alternatives = [] }: Kernel<never>) => [
      shader ?? name,
      ...alternatives.map((alternative) => alternative.name),
    ],
  );
  expect(shaderFiles.toSorted()).toEqual([...new Set(names)].toSorted());
});

test("every kernel bears the name under which the catalogue lists it", () => {
  expect(Object.values(kernels).map(({ name }) => name)).toEqual(Object.keys(kernels));
});

test.each(calledVariants)(
  "%s: bindings and constants are those that its shader declares",
  (name, variant, shape) => {
    const own = variant.prelude?.();
    const preludes = [...(variant.preludes?.(shape) ?? []), ...(own === undefined ? [] : [own])];
    const code = [...preludes, name].map(source).join("\n");
    const bindings = [...code.matchAll(/@binding\((\d+)\) var<storage, (\w+)> (\w+)/g)].map(
      ([, index, access, binding]) => ({ index: Number(index), access, name: binding }),
    );
    expect(bindings.toSorted(byIndex)).toEqual(
      bindingsOf(variant, shape)
        .map(({ access, slot, name: binding }, index) => ({
          index: slot ?? index,
          access,
          name: binding,
        }))
        .toSorted(byIndex),
    );
    // Overrides with an initial value follow from the others.
    const overrides = [...code.matchAll(/^override (\w+): \w+;/gm)].map(([, override]) => override);
    expect(new Set(Object.keys(variant.constants(shape)))).toEqual(new Set(overrides));
  },
);

test.each(calledVariants)(
  "%s: the grid has three whole sizes of at least 1",
  (_name, variant, shape) => {
    const grid = variant.grid(shape);
    expect(grid.every((size) => Number.isInteger(size) && size >= 1 && size <= 65_535)).toBe(true);
  },
);
