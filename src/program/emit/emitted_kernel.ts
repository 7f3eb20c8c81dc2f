// What an op becomes on a rank.

import type { KernelCall } from "../../kernels/catalog.ts";
import type { StorageType } from "../../kernels/storage.ts";
import type { View } from "../tensor.ts";

export interface EmittedKernel {
  readonly call: KernelCall;
  /** In the order of the kernel's bindings. */
  readonly operands: readonly View[];
  /** Default: the program's. */
  readonly dtype?: StorageType;
}
