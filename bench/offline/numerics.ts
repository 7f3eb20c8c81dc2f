// Every variant of every kernel at small and odd sizes, in both storage types, against f64. A process of its own.

import { kernelOf } from "../../src/kernels/catalog.ts";
import { variantsOf } from "../../src/kernels/variant.ts";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import { messageOf } from "../../src/gpu/message_of.ts";
import { bindCase } from "../bind_case.ts";
import type { KernelCase } from "../kernel_case.ts";
import { openerOf, partArguments } from "./arguments.ts";
import type { NumericsRecord, WrongVariant } from "./numerics_report.ts";
import { printRecord } from "./records.ts";
import { smallCases } from "./small_cases.ts";

const { adapter, isOver } = partArguments();
const open = await openerOf(adapter);
let gpu = await open();
const { subgroupMatrixConfigs: configurations } = gpu.device.adapterInfo as {
  readonly subgroupMatrixConfigs?: Iterable<object>;
};
const found: NumericsRecord = {
  kind: "matrix units",
  configurations: [...(configurations ?? [])].map((one) => {
    // They are accessors of the prototype.
    const fields: Record<string, unknown> = {};
    for (const name in one) fields[name] = Reflect.get(one, name);
    return fields;
  }),
};
printRecord(found);

const [single, half] = [smallCases("f32"), smallCases("f16")];
const cases = single.flatMap((make, index) => [make, ...half.slice(index, index + 1)]);
for (const [index, make] of cases.entries()) {
  if (isOver()) {
    const left: NumericsRecord = { kind: "left", cases: cases.length - index };
    printRecord(left);
    break;
  }
  const one = make();
  const { variants, wrong } = await tryVariants(one);
  const record: NumericsRecord = { kind: "case", name: one.name, variants, wrong };
  printRecord(record);
}
gpu.close();

async function tryVariants(one: KernelCase): Promise<{ variants: number; wrong: WrongVariant[] }> {
  const kernel = kernelOf(one.call);
  const dtype = one.dtype ?? "f32";
  const variants = variantsOf(kernel, one.call.shape, gpu.report, dtype);
  const wrong: WrongVariant[] = [];
  for (const variant of variants) {
    const what = await tryVariant(gpu, one, variant);
    if (what === undefined) continue;
    wrong.push({ variant: variant.name, constants: variant.constants, what });
  }
  return { variants: variants.length, wrong };
}

async function tryVariant(
  on: LogicalGpu,
  one: KernelCase,
  variant: ReturnType<typeof variantsOf>[number],
): Promise<string | undefined> {
  try {
    const bound = await bindCase(on, one);
    const { kernel, shape, dtype, buffers, label } = bound.call;
    const what = await bound.findWrong(
      await on.prepare(kernel, shape, dtype, buffers, label, variant),
    );
    bound.release();
    return what;
  } catch (thrown) {
    // What a device complained of once it repeats to everyone after.
    on.close();
    gpu = await open();
    return messageOf(thrown);
  }
}
