import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { kernelOf, kernels } from "../../src/kernels/catalog.ts";
import { bindingsOf, type Kernel } from "../../src/kernels/kernel.ts";
import { formKernels, withSubgroups } from "../support/forms.ts";
import { sampleCalls } from "../support/sample_calls.ts";

const folder = new URL("../../shaders/", import.meta.url);
const shaderFiles = readdirSync(folder)
  .filter((file) => file.endsWith(".wgsl"))
  .map((file) => file.replace(".wgsl", ""));
const source = (name: string): string => readFileSync(new URL(`${name}.wgsl`, folder), "utf8");

const calledForms = sampleCalls.flatMap((call) =>
  formKernels(kernelOf(call), call.shape, withSubgroups(8), "f32").map(
    (form) => [form.name, form, call.shape] as const,
  ),
);

const byIndex = (a: { readonly index: number }, b: { readonly index: number }): number =>
  a.index - b.index;

test("every kernel and variant has a shader and every shader one of them", () => {
  const names = Object.values(kernels).flatMap(({ name, shader, variants = [] }: Kernel<never>) => [
    shader ?? name,
    ...variants.map((variant) => variant.name),
  ]);
  expect(shaderFiles.toSorted()).toEqual([...new Set(names)].toSorted());
});

test("every kernel bears the name under which the catalogue lists it", () => {
  expect(Object.values(kernels).map(({ name }) => name)).toEqual(Object.keys(kernels));
});

test.each(calledForms)(
  "%s: bindings and constants are those that its shader declares",
  (name, form, shape) => {
    const code = [...(form.preludes?.(shape) ?? []), name].map(source).join("\n");
    const bindings = [...code.matchAll(/@binding\((\d+)\) var<storage, (\w+)> (\w+)/g)].map(
      ([, index, access, binding]) => ({ index: Number(index), access, name: binding }),
    );
    expect(bindings.toSorted(byIndex)).toEqual(
      bindingsOf(form, shape)
        .map(({ access, slot, name: binding }, index) => ({
          index: slot ?? index,
          access,
          name: binding,
        }))
        .toSorted(byIndex),
    );
    // Overrides with an initial value follow from the others.
    const overrides = [...code.matchAll(/^override (\w+): \w+;/gm)].map(([, override]) => override);
    expect(new Set(Object.keys(form.constants(shape)))).toEqual(new Set(overrides));
  },
);

test.each(calledForms)("%s: the grid has three whole sizes of at least 1", (_name, form, shape) => {
  const grid = form.grid(shape);
  expect(grid.every((size) => Number.isInteger(size) && size >= 1 && size <= 65_535)).toBe(true);
});
