import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { kernelOf, kernels } from "../../src/kernels/catalog.ts";
import { sampleCalls } from "../support/sample_calls.ts";

const folder = new URL("../../shaders/", import.meta.url);
const shaderFiles = readdirSync(folder)
  .filter((file) => file.endsWith(".wgsl"))
  .map((file) => file.replace(".wgsl", ""));
const source = (name: string): string => readFileSync(new URL(`${name}.wgsl`, folder), "utf8");

test("every kernel of the catalogue has a shader and every shader a kernel", () => {
  expect(shaderFiles.toSorted()).toEqual(Object.keys(kernels).toSorted());
});

test("every kernel bears the name under which the catalogue lists it", () => {
  expect(Object.values(kernels).map(({ name }) => name)).toEqual(Object.keys(kernels));
});

test.each(sampleCalls.map((call) => [call.kernel, call] as const))(
  "%s: bindings and constants are those that its shader declares",
  (name, call) => {
    const kernel = kernelOf(call);
    const code = source(name);
    const bindings = [...code.matchAll(/@binding\((\d+)\) var<storage, (\w+)> (\w+)/g)].map(
      ([, index, access, binding]) => ({ index: Number(index), access, name: binding }),
    );
    expect(bindings).toEqual(
      kernel.bindings.map(({ access, name: binding }, index) => ({ index, access, name: binding })),
    );
    // Overrides with an initial value follow from the others.
    const overrides = [...code.matchAll(/^override (\w+): \w+;/gm)].map(([, override]) => override);
    expect(new Set(Object.keys(kernel.constants(call.shape)))).toEqual(new Set(overrides));
  },
);

test.each(sampleCalls.map((call) => [call.kernel, call] as const))(
  "%s: the grid has three whole sizes of at least 1",
  (_name, call) => {
    const grid = kernelOf(call).grid(call.shape);
    expect(grid.every((size) => Number.isInteger(size) && size >= 1 && size <= 65_535)).toBe(true);
  },
);
