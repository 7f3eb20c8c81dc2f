// The kernels against the adapter's ceilings, untuned and tuned. A process of its own.

import { kernelOf } from "../../src/kernels/catalog.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import { messageOf } from "../../src/gpu/message_of.ts";
import { createTimestamps } from "../../src/gpu/timestamps.ts";
import { ceilingKernels } from "../ceilings.ts";
import { type BenchGpu, measureCase } from "../measure_case.ts";
import { openerOf, partArguments } from "./arguments.ts";
import type { KernelRecord } from "./kernels_report.ts";
import { largeCases, mostSoftwareFlops } from "./large_cases.ts";
import { printRecord } from "./records.ts";

const { adapter, isOver } = partArguments();
const open = await openerOf(adapter);

async function openBench(): Promise<BenchGpu> {
  const gpu = await open();
  return {
    gpu,
    timestamps: await createTimestamps(gpu, 1),
    ceilings: await ceilingKernels(gpu),
  };
}

let bench = await openBench();
for (const [index, make] of largeCases.entries()) {
  if (isOver()) {
    const left: KernelRecord = { kind: "left", cases: largeCases.length - index };
    printRecord(left);
    break;
  }
  const record = await measure(make);
  if (record !== undefined) printRecord(record);
}
bench.gpu.close();

/** Undefined where it is too much for the adapter. */
async function measure(make: (typeof largeCases)[number]): Promise<KernelRecord | undefined> {
  const one = make();
  const { kernel, shape } = one.call;
  const flops = (kernelOf(one.call) as Kernel<object>).flops(shape);
  if (bench.gpu.report.choice.software && flops > mostSoftwareFlops) return undefined;
  try {
    const dtype = one.dtype ?? "f32";
    return { kind: "case", kernel, shape, dtype, figures: await measureCase(bench, one) };
  } catch (thrown) {
    bench.gpu.close();
    bench = await openBench();
    return { kind: "failed", name: one.name, message: messageOf(thrown) };
  }
}
