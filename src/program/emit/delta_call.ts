// The kernels of linear attention.

import type { CausalConvOp, GatedDeltaOp } from "../delta_op.ts";
import { whole } from "../tensor.ts";
import type { EmittedKernel } from "./emitted_kernel.ts";
import { sizes } from "./sizes.ts";

export function deltaCall(op: CausalConvOp | GatedDeltaOp, rank: number): EmittedKernel {
  const { x, y, sequence } = op;
  if (op.op === "causal-conv") {
    const [rows = 0, columns = 0] = sizes(x, rank);
    const [taps = 0] = sizes(op.w, rank);
    return {
      call: { kernel: "causal_conv", shape: { rows, columns, taps, sequence } },
      operands: [x, op.w, y].map(whole),
    };
  }
  const { keyHeads, valueHeads, keyDim, valueDim } = op;
  const [rows = 0] = sizes(y, rank);
  const shape = { batch: rows / sequence, sequence, keyHeads, valueHeads, keyDim, valueDim };
  return {
    call: { kernel: "gated_delta", shape },
    operands: [x, op.update, op.step, op.rates, y].map(whole),
  };
}
