// Names for what is tuned: a call is a kernel at one shape, a class the calls of like size, and a variant key
// tells the variants of a call apart in words that also hold at the other shapes of the class.

import { type Variant, variantOf, variantsOf } from "../kernels/variant.ts";
import type { AdapterTraits, Kernel } from "../kernels/kernel.ts";
import type { StorageType } from "../kernels/storage.ts";

/** Such as `matmul f32 activation=none k=512 m=100 n=1024`. */
export function callKey(kernel: string, shape: object, dtype: StorageType): string {
  return keyOf(kernel, shape, dtype, (size) => size);
}

/**
 * The same for all shapes whose sizes agree when they are rounded up to powers of two. Variants that win at one
 * of them are the first to be tried at the others.
 */
export function classKey(kernel: string, shape: object, dtype: StorageType): string {
  return keyOf(kernel, shape, dtype, (size) => (size < 1 ? size : 2 ** Math.ceil(Math.log2(size))));
}

function keyOf(
  kernel: string,
  shape: object,
  dtype: StorageType,
  round: (size: number) => number,
): string {
  return [
    kernel,
    dtype,
    ...Object.entries(shape)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]: [string, unknown]) => {
        const kept = typeof value === "number" && Number.isInteger(value) ? round(value) : value;
        return `${name}=${typeof kept === "string" ? kept : JSON.stringify(kept)}`;
      }),
  ].join(" ");
}

export interface NamedVariant {
  /** The shader and those of its numbers in which it differs from the kernel's own. */
  readonly key: string;
  readonly variant: Variant;
}

export interface CallVariants {
  /** All that should be right, the kernel's own shader first. */
  readonly variants: readonly [own: NamedVariant, ...others: NamedVariant[]];
  /** The one that is selected untuned. */
  readonly expected: NamedVariant;
}

export function namedVariants<Shape>(
  kernel: Kernel<Shape>,
  shape: Shape,
  adapter: AdapterTraits,
  dtype: StorageType,
): CallVariants {
  const [own, ...others] = variantsOf(kernel, shape, adapter, dtype);
  if (own === undefined) throw new Error(`kernel ${kernel.name} has no variant of its own`);
  const named: [NamedVariant, ...NamedVariant[]] = [{ key: own.name, variant: own }];
  for (const variant of others) {
    const key = variantKey(variant, own);
    const taken = named.some((other) => other.key === key);
    named.push({ key: taken ? `${key} grid=${variant.grid.join("×")}` : key, variant });
  }
  const chosen = variantOf(kernel, shape, adapter, dtype);
  const expected = named.find(({ variant }) => sameVariant(variant, chosen));
  return { variants: named, expected: expected ?? named[0] };
}

function variantKey(variant: Variant, own: Variant): string {
  return [
    variant.name,
    ...Object.entries(variant.constants)
      .filter(([name, value]) => own.constants[name] !== value)
      .map(([name, value]) => `${name}=${value}`),
  ].join(" ");
}

function sameVariant(a: Variant, b: Variant): boolean {
  return (
    a.name === b.name &&
    JSON.stringify([a.constants, a.grid, a.prelude]) ===
      JSON.stringify([b.constants, b.grid, b.prelude])
  );
}
