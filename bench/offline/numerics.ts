// Every form of every kernel at small and odd sizes, in both storage types, against f64. A process of its own.

import { kernelOf } from "../../src/kernels/catalog.ts";
import { formsOf } from "../../src/kernels/form.ts";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import { messageOf } from "../../src/gpu/message_of.ts";
import { bindCase } from "../bind_case.ts";
import type { KernelCase } from "../kernel_case.ts";
import { openerOf, partArguments } from "./arguments.ts";
import type { NumericsRecord, WrongForm } from "./numerics_report.ts";
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
  const { forms, wrong } = await tryForms(one);
  const record: NumericsRecord = { kind: "case", name: one.name, forms, wrong };
  printRecord(record);
}
gpu.close();

async function tryForms(one: KernelCase): Promise<{ forms: number; wrong: WrongForm[] }> {
  const kernel = kernelOf(one.call);
  const dtype = one.dtype ?? "f32";
  const forms = formsOf(kernel, one.call.shape, gpu.report, dtype);
  const wrong: WrongForm[] = [];
  for (const form of forms) {
    const what = await tryForm(gpu, one, form);
    if (what === undefined) continue;
    wrong.push({ form: form.name, constants: form.constants, what });
  }
  return { forms: forms.length, wrong };
}

async function tryForm(
  on: LogicalGpu,
  one: KernelCase,
  form: ReturnType<typeof formsOf>[number],
): Promise<string | undefined> {
  try {
    const bound = await bindCase(on, one);
    const { kernel, shape, dtype, buffers, label } = bound.call;
    const what = await bound.findWrong(
      await on.prepare(kernel, shape, dtype, buffers, label, form),
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
