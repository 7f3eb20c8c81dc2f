// Which tensors the ops of a training step behind its forward pass read and write. A gradient that is added to is both.

import type { GradientOp } from "./gradient_op.ts";
import type { Tensor, View } from "./tensor.ts";

type Placeless<Each> = Each extends GradientOp ? Omit<Each, "place"> : never;
type NewGradientOp = Placeless<GradientOp>;

export function readByGradient(op: NewGradientOp): readonly Tensor[] {
  switch (op.op) {
    case "loss-statistics":
      return [op.logits, op.labels];
    case "cross-entropy":
    case "cross-entropy-gradient":
      return [op.logits, op.labels, op.statistics];
    case "squared-error":
    case "squared-error-gradient":
      return [op.x, op.targets];
    case "weight-gradient":
      return [op.a.tensor, op.b.tensor, op.y];
    case "bias-gradient":
      return present(op.dy.tensor, op.y, op.offsets);
    case "activation-gradient":
      return [op.x.tensor, op.dy.tensor, ...tensorsOf(op.gate), ...present(op.offsets)];
    case "norm-gradient":
      return [op.x.tensor, op.gain, op.dy.tensor, ...tensorsOf(op.residual)];
    case "gain-gradient":
      return [op.x.tensor, op.dy.tensor, op.statistics, op.gain, ...present(op.bias)];
    case "attention-statistics":
      return [op.qkv, ...present(op.sinks), op.attended, op.dy];
    case "attention-gradient":
      return [op.qkv, ...present(op.values?.v), op.dy, op.statistics];
    case "rotary-gradient":
      return [op.dy, op.dv, ...present(op.turn?.rotations)];
    case "sink-gradient":
      return [op.statistics, op.sinks, op.y];
    case "mean-products":
      return present(op.x, op.dy, op.norm.gains);
    case "head-norm-gradient":
      return present(op.x, op.dy, op.norm.gains, op.norm.squares, op.products);
    case "head-gain-gradient":
      return [op.x, op.dy, op.statistics, op.y];
    case "latent-gradient":
      return [op.dheads];
    case "row-gate-gradient":
      return [op.gated, op.gate, op.dy];
    case "spread-rows":
      return [op.dy];
    case "embedding-gradient":
      return [op.ids, op.dy.tensor, op.y];
    case "position-gradient":
      return [op.dy, op.y];
    case "grouped-weight-gradient":
      return [op.x, op.dy, op.offsets, op.y];
    case "choice-weight-gradient":
      return [op.x, op.dy, op.ids, op.positions, op.offsets, op.kept];
    case "route-gradient":
      return present(op.logits, op.ids, op.dweights, op.counted);
    case "take-columns":
      return [op.x];
    case "put-columns":
      return [op.x, op.y];
    case "sum-squares":
      return [op.x, op.sum];
    case "clear":
      return [op.y];
    case "begin-update":
      return [op.sum, op.state];
    case "update-weight":
      return [op.state, op.gradient, op.weight, ...present(op.master, op.first, op.second)];
  }
}

export function writtenByGradient(op: NewGradientOp): readonly Tensor[] {
  switch (op.op) {
    case "loss-statistics":
      return [op.y];
    case "cross-entropy":
    case "squared-error":
      return [op.losses];
    case "cross-entropy-gradient":
    case "squared-error-gradient":
      return [op.dx.tensor];
    case "norm-gradient":
      return [op.dx.tensor, op.statistics];
    case "weight-gradient":
    case "bias-gradient":
    case "embedding-gradient":
    case "position-gradient":
    case "grouped-weight-gradient":
    case "choice-weight-gradient":
    case "sink-gradient":
    case "mean-products":
    case "head-gain-gradient":
    case "take-columns":
    case "put-columns":
      return [op.y];
    case "row-gate-gradient":
      return [op.dproduct, op.dgate];
    case "head-norm-gradient":
      return [op.dx, op.statistics];
    case "latent-gradient":
      return [op.dq, op.dkv, op.ddown];
    case "activation-gradient":
      return [op.dx.tensor, ...tensorsOf(op.dgate)];
    case "gain-gradient":
      return [op.gain, ...present(op.bias)];
    case "attention-statistics":
      return [op.y];
    case "attention-gradient":
      return [op.dx, ...present(op.dv)];
    case "rotary-gradient":
    case "route-gradient":
    case "spread-rows":
      return [op.dx];
    case "sum-squares":
      return [op.sum];
    case "clear":
      return [op.y];
    case "begin-update":
      return [op.sum, op.state];
    case "update-weight":
      return [op.gradient, op.weight, ...present(op.master, op.first, op.second)];
  }
}

function present(...tensors: readonly (Tensor | undefined)[]): Tensor[] {
  return tensors.flatMap((tensor) => tensor ?? []);
}

function tensorsOf(...views: readonly (View | undefined)[]): Tensor[] {
  return views.flatMap((view) => (view === undefined ? [] : [view.tensor]));
}
