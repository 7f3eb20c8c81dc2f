// Names of element types as frameworks write them.

import type { Precision } from "./plan.ts";

const single = ["f32", "fp32", "float32", "float"] as const;
const half = ["f16", "fp16", "float16", "half"] as const;
const brain = ["bf16", "bfloat16"] as const;

export const dtypeNames = [...single, ...half, ...brain] as const;

export type DtypeName = (typeof dtypeNames)[number];

/** As short as plans are written; undefined where it is no type's name. */
export function shortDtype(name: string): "f32" | "f16" | "bf16" | undefined {
  const known = dtypeNames.find((each) => each === name);
  return isBrainFloat(known) ? "bf16" : known && precisionOf(known);
}

/** What runs under that name; f32 where none is given. */
export function precisionOf(name: DtypeName = "f32"): Precision {
  return single.some((each) => each === name) ? "f32" : "f16";
}

export function isBrainFloat(name: DtypeName | undefined): boolean {
  return brain.some((each) => each === name);
}
