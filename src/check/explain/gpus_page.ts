// docs/gpus.md: the GPUs that a plan can name, with the figures that it takes over.

import { type Gpu, gpus } from "../../plan/gpus.ts";

/** The whole page. */
export function gpusPage(): string {
  return (
    [
      "# GPUs by name",
      "`hardware.gpu: H100-SXM` in a plan gives it the memory, the peak at the workload's dtype, the memory " +
        "bandwidth and the link bandwidth of the datasheet, as far as the plan gives none of its own. Case, " +
        "spaces and hyphens do not matter, nor do vendors, brands, sizes and sockets that fit the GPU: `nvidia " +
        "a100 sxm4 80gb` is `A100-SXM-80GB`. A name that fits several GPUs is refused with their names. This " +
        "page is generated from `src/plan/gpus.ts`.",
      "Peaks are TFLOP/s without sparsity. f32 is plain f32, by vector or matrix units; a plan of dtype f32 " +
        "takes it, not tf32. f16 (bf16 alike) and fp8 accumulate in f32; GeForce GPUs do twice as much f16 where " +
        "they accumulate in f16. Memory is as printed, in 1e9 B; drivers report up to 7 % more, as 80 GB of HBM " +
        "are 80 GiB. A link is the fastest way to another GPU, all links of the GPU together, in one direction: " +
        "half of what datasheets print as total. What a datasheet leaves out, or what varies, is left out here.",
      [
        "| name | f32 | tf32 | f16 | fp8 | memory GB | GB/s | link GB/s | figures from |",
        "|---|---:|---:|---:|---:|---:|---:|---|---|",
        ...gpus.map(row),
      ].join("\n"),
    ].join("\n\n") + "\n"
  );
}

function row({ name, teraflops = {}, memoryGB, memoryGBs, link, datasheet }: Gpu): string {
  const { f32, tf32, f16, fp8 } = teraflops;
  const cells = [
    name,
    f32,
    tf32,
    f16,
    fp8,
    memoryGB,
    memoryGBs,
    link === undefined ? undefined : `${link.perDirectionGBs} ${link.name}`,
    datasheet,
  ];
  return `| ${cells.map((cell) => cell ?? "").join(" | ")} |`;
}
