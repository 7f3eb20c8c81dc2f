// The kernels of a mixture of experts behind its forward pass.

import type {
  ChoiceWeightGradientOp,
  GroupedWeightGradientOp,
  RouteGradientOp,
} from "../gradient_op.ts";
import { whole } from "../tensor.ts";
import { expectedRowsOf } from "../expected_rows.ts";
import type { EmittedKernel } from "./emitted_kernel.ts";
import { sizes } from "./sizes.ts";

export function expertGradientCall(
  op: GroupedWeightGradientOp | ChoiceWeightGradientOp | RouteGradientOp,
  rank: number,
): EmittedKernel {
  switch (op.op) {
    case "grouped-weight-gradient": {
      const { x, dy, weight, offsets, y } = op;
      const [experts = 0, m = 0, n = 0] = sizes(weight, rank);
      const [rows = 0] = sizes(x, rank);
      const shape = { experts, rows, expectedRows: expectedRowsOf(op, rows, experts), m, n };
      const operands = [x, dy, offsets, y].map(whole);
      return { call: { kernel: "grouped_weight_gradient", shape }, operands };
    }
    case "choice-weight-gradient": {
      const { x, dy, ids, positions, offsets, kept, y, experts, topK } = op;
      const [tokens = 0, hidden = 0] = sizes(dy, rank);
      const operands = [x, dy, ids, positions, offsets, kept, y].map(whole);
      const shape = { tokens, topK, hidden, experts };
      return { call: { kernel: "combine_weight_gradient", shape }, operands };
    }
    case "route-gradient": {
      const { logits, ids, dweights, counted, balance, logarithm, dx, experts, rule } = op;
      const { groupLimit: _, ...scoring } = rule;
      const [tokens = 0] = sizes(logits, rank);
      const shape = {
        tokens,
        experts,
        ...scoring,
        ...(balance === undefined ? {} : { balance }),
        ...(logarithm === undefined ? {} : { logarithm }),
      };
      const counts = counted === undefined ? [] : [counted];
      const operands = [logits, ids, dweights, ...counts, dx].map(whole);
      return { call: { kernel: "route_gradient", shape }, operands };
    }
  }
}
