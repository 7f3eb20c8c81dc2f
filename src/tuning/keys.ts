// Names for what is tuned: a call is a kernel at one shape, a class the calls of like size, and a form key
// tells the forms of a call apart in words that also hold at the other shapes of the class.

import { type Form, formOf, formsOf } from "../kernels/form.ts";
import type { AdapterTraits, Kernel } from "../kernels/kernel.ts";
import type { StorageType } from "../kernels/storage.ts";

/** Such as `matmul f32 activation=none k=512 m=100 n=1024`. */
export const callKey = (kernel: string, shape: object, dtype: StorageType): string =>
  keyOf(kernel, shape, dtype, (size) => size);

/**
 * The same for all shapes whose sizes agree when they are rounded up to powers of two. Forms that win at one
 * of them are the first to be tried at the others.
 */
export const classKey = (kernel: string, shape: object, dtype: StorageType): string =>
  keyOf(kernel, shape, dtype, (size) => (size < 1 ? size : 2 ** Math.ceil(Math.log2(size))));

const keyOf = (
  kernel: string,
  shape: object,
  dtype: StorageType,
  round: (size: number) => number,
): string =>
  [
    kernel,
    dtype,
    ...Object.entries(shape)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]: [string, unknown]) => {
        const kept = typeof value === "number" && Number.isInteger(value) ? round(value) : value;
        return `${name}=${typeof kept === "string" ? kept : JSON.stringify(kept)}`;
      }),
  ].join(" ");

export interface NamedForm {
  /** The shader and those of its numbers in which it differs from the kernel's own. */
  readonly key: string;
  readonly form: Form;
}

export interface CallForms {
  /** All that should be right, the kernel's own shader first. */
  readonly forms: readonly [own: NamedForm, ...others: NamedForm[]];
  /** The one that is taken untuned. */
  readonly expected: NamedForm;
}

export function namedForms<Shape>(
  kernel: Kernel<Shape>,
  shape: Shape,
  adapter: AdapterTraits,
  dtype: StorageType,
): CallForms {
  const [own, ...others] = formsOf(kernel, shape, adapter, dtype);
  if (own === undefined) throw new Error(`kernel ${kernel.name} has no form of its own`);
  const named: [NamedForm, ...NamedForm[]] = [{ key: own.name, form: own }];
  for (const form of others) {
    const key = formKey(form, own);
    const taken = named.some((other) => other.key === key);
    named.push({ key: taken ? `${key} grid=${form.grid.join("×")}` : key, form });
  }
  const chosen = formOf(kernel, shape, adapter, dtype);
  const expected = named.find(({ form }) => sameForm(form, chosen));
  return { forms: named, expected: expected ?? named[0] };
}

const formKey = (form: Form, own: Form): string =>
  [
    form.name,
    ...Object.entries(form.constants)
      .filter(([name, value]) => own.constants[name] !== value)
      .map(([name, value]) => `${name}=${value}`),
  ].join(" ");

const sameForm = (a: Form, b: Form): boolean =>
  a.name === b.name &&
  JSON.stringify([a.constants, a.grid, a.prelude]) ===
    JSON.stringify([b.constants, b.grid, b.prelude]);
