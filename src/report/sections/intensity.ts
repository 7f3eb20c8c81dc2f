// FLOPs per byte, as tables say it.

import { formatNumber } from "../../measure/format.ts";

export function intensityOf({
  flops,
  kernelBytes,
}: {
  readonly flops: number;
  readonly kernelBytes: number;
}): string {
  return kernelBytes === 0 ? "–" : formatNumber(flops / kernelBytes);
}
