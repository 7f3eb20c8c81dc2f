// What each kernel of a program costs, over all its shapes.

import { formatBytes, formatFlops, formatNumber } from "../../measure/format.ts";
import type { PlanEstimate } from "../../program/estimate.ts";
import { left, right, table, type Section } from "../section.ts";
import { intensityOf } from "./intensity.ts";

export function kernelCostSection({ kernels }: PlanEstimate): Section {
  return {
    title: "Kernels",
    blocks: [
      table(
        [...left("kernel"), ...right("dispatches", "FLOPs", "bytes", "FLOP/B")],
        kernels
          .toSorted((a, b) => b.flops - a.flops || b.kernelBytes - a.kernelBytes)
          .map((kernel) => ({
            cells: [
              kernel.kernel,
              formatNumber(kernel.calls),
              formatFlops(kernel.flops),
              formatBytes(kernel.kernelBytes),
              intensityOf(kernel),
            ],
          })),
      ),
    ],
  };
}
