// The machine that a result was measured on, in a phrase.

import type { Versions } from "../../result/result.ts";

export function hostOf({ os, cpu }: Versions): string {
  return cpu === undefined ? os : `${os}, ${cpu}`;
}
