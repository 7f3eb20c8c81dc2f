// Names of element types as frameworks write them.

import type { Precision } from "./plan.ts";

const names = {
  f32: "f32",
  fp32: "f32",
  float32: "f32",
  f16: "f16",
  fp16: "f16",
  float16: "f16",
  bf16: "f16",
  bfloat16: "f16",
} as const satisfies Record<string, Precision>;

export type DtypeName = keyof typeof names;

export const dtypeNames = Object.keys(names) as DtypeName[];

/** What runs under that name; f32 where none is given. */
export const precisionOf = (name: DtypeName = "f32"): Precision => names[name];

export const isBrainFloat = (name: DtypeName | undefined): boolean =>
  name === "bf16" || name === "bfloat16";
