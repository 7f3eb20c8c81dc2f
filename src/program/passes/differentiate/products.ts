// Gradients of matrix products: that of the input is a product with the weights the other way round, that of the weights
// one of the input with the gradient of the result.

import type { ActivationOp, MatmulOp } from "../../op.ts";
import { type Tensor, type View, whole } from "../../tensor.ts";
import { gradientTensor } from "./book.ts";
import { NotDifferentiable } from "./not_differentiable.ts";
import { allOf, settle, takeOnly, useWeight, type Walk } from "./walk.ts";

export function matmulGradients(walk: Walk, op: MatmulOp): void {
  const { origin, x, w, bias, residual, ranks } = op;
  if (op.activation !== "none" || op.gate !== undefined) {
    throw new NotDifferentiable(`${origin.layer}: a product with a ${op.activation} behind it`);
  }
  const given = settle(walk, op, allOf(op.y, op));
  if (given === undefined) return;
  const site = walk.siteOf(op);
  const dy = op.rowGate === undefined ? given : rowGateGradients(walk, op, op.rowGate, given);
  if (residual !== undefined) walk.book.add(allOf(residual, op), ranks, { tensor: dy });
  const input = allOf(x, op);
  const own = useWeight(walk, op, w);
  const read = walk.asRead(op, input);
  const [a, b] = op.isTransposed === true ? [dy, read] : [read, dy];
  walk.emit({
    op: "weight-gradient",
    ...site,
    ranks,
    a: whole(a),
    b: whole(b),
    ...scaleOf(op),
    y: own,
  });
  if (bias !== undefined) biasGradient(walk, op, bias, dy);
  if (!ranks.some((rank) => walk.isWanted(input, rank))) return;
  const { of, result } = walk.placementOf(op);
  const isSplit = ranks.length > 1 && of(input) === "replicate" && result === "columns";
  const partialOver = op.slices ?? (isSplit ? ranks : undefined);
  const before = takeOnly(walk, input, ranks, partialOver !== undefined);
  const name = `${input.name}/gradient/${w.name}`;
  const dx = gradientTensor(input, name, ranks);
  walk.emit({
    op: "matmul",
    ...site,
    ranks,
    x: whole(dy),
    w,
    isTransposed: op.isTransposed !== true,
    activation: "none",
    ...scaleOf(op),
    ...(before === undefined ? {} : { residual: whole(before) }),
    y: whole(dx),
  });
  walk.book.add(input, ranks, { tensor: dx, ...(partialOver && { partialOver }) });
}

/** @returns the gradient of the product before its gate */
function rowGateGradients(walk: Walk, op: MatmulOp, rowGate: View, dy: Tensor): Tensor {
  const { ranks, residual, origin } = op;
  if (residual !== undefined) {
    throw new NotDifferentiable(`${origin.layer}: a gate of rows before a residual`);
  }
  const [gated, gate] = [allOf(op.y, op), allOf(rowGate, op)];
  const dproduct = gradientTensor(gated, `${gated.name}/gradient/product`, ranks);
  const dgate = gradientTensor(gate, `${gate.name}/gradient`, ranks);
  const site = walk.siteOf(op);
  walk.emit({ op: "row-gate-gradient", ...site, ranks, gated, gate, dy, dproduct, dgate });
  // Of a summand of the result the gate has a summand of its gradient.
  const isPartial = walk.placementOf(op).result === "partial";
  walk.book.add(gate, ranks, { tensor: dgate, ...(isPartial && { partialOver: ranks }) });
  return dproduct;
}

function biasGradient(walk: Walk, op: MatmulOp, bias: Tensor, dy: Tensor): void {
  const ranks = op.ranks.filter((rank) => bias.parts.ranks.includes(rank));
  const y = useWeight(walk, op, bias, ranks);
  walk.emit({ op: "bias-gradient", ...walk.siteOf(op), ranks, dy: whole(dy), y });
}

function scaleOf({ scale }: Pick<MatmulOp, "scale">) {
  return scale === undefined ? {} : { scale };
}

export function activationGradients(walk: Walk, op: ActivationOp): void {
  const { activation, cap, x, gate, ranks } = op;
  const dy = settle(walk, op, allOf(op.y, op));
  if (dy === undefined) return;
  const input = allOf(x, op);
  const dx = gradientTensor(input, `${input.name}/gradient`, ranks);
  const other = gate === undefined ? undefined : allOf(gate, op);
  const dgate = other && gradientTensor(other, `${other.name}/gradient`, ranks);
  walk.emit({
    op: "activation-gradient",
    ...walk.siteOf(op),
    ranks,
    activation,
    ...(cap === undefined ? {} : { cap }),
    x,
    ...(gate === undefined ? {} : { gate }),
    dy: whole(dy),
    dx: whole(dx),
    ...(dgate === undefined ? {} : { dgate: whole(dgate) }),
    ...(op.offsets && { offsets: op.offsets }),
    ...(op.expectedRows !== undefined && { expectedRows: op.expectedRows }),
  });
  walk.book.add(input, ranks, { tensor: dx });
  if (other !== undefined && dgate !== undefined) walk.book.add(other, ranks, { tensor: dgate });
}
