// Gradients of a mixture of experts: its transfers go the other way, and what sorts rows by expert and what brings them back
// are each other's. Which experts a token takes has no gradient.

import type { GroupedMatmulOp, PermuteOp, RouteOp, UnpermuteOp } from "../../expert_op.ts";
import { expectedRowsOf } from "../../expected_rows.ts";
import { partOn, type Tensor, whole } from "../../tensor.ts";
import type { ExpertTransferOp } from "../../transfer_op.ts";
import { gradientTensor } from "./book.ts";
import { NotDifferentiable } from "./not_differentiable.ts";
import { allOf, rankKey, settle, takeOnly, useWeight, type Walk } from "./walk.ts";

/** Of choices' weights too, where they are of what comes back. */
export function unpermuteGradients(walk: Walk, op: UnpermuteOp): void {
  const dy = settle(walk, op, allOf(op.y, op));
  if (dy === undefined) return;
  const { ranks, x, kept, isWeighted } = op;
  if (isWeighted) choiceWeightGradients(walk, op, { x, dy, kept });
  const dx = gradientTensor(x, `${x.name}/gradient`, ranks);
  walk.emit({ ...routingOf(op), ...walk.siteOf(op), op: "permute", isWeighted, x: dy, y: dx });
  walk.book.add(x, ranks, { tensor: dx });
}

/** Of choices' weights too, where they are of what experts read. */
export function permuteGradients(walk: Walk, op: PermuteOp): void {
  const dy = settle(walk, op, op.y);
  if (dy === undefined) return;
  const { ranks, x, y, counts, isWeighted, slices } = op;
  const kept = walk.keptOf.get(rankKey(y, ranks[0] ?? 0)) ?? counts;
  if (isWeighted) choiceWeightGradients(walk, op, { x: dy, dy: walk.asRead(op, x), kept });
  const dx = gradientTensor(x, `${y.name}/gradient/back`, ranks);
  const site = walk.siteOf(op);
  walk.emit({ ...routingOf(op), ...site, op: "unpermute", isWeighted, x: dy, kept, y: whole(dx) });
  walk.book.add(x, ranks, { tensor: dx, ...(slices && { partialOver: slices }) });
}

function choiceWeightGradients(
  walk: Walk,
  op: PermuteOp | UnpermuteOp,
  read: { readonly x: Tensor; readonly dy: Tensor; readonly kept: Tensor },
): void {
  const { ranks, weights } = op;
  const y = gradientTensor(weights, `${weights.name}/gradient`, ranks);
  walk.emit({ ...routingOf(op), ...walk.siteOf(op), op: "choice-weight-gradient", ...read, y });
  walk.book.add(weights, ranks, { tensor: y });
}

function routingOf(op: PermuteOp | UnpermuteOp) {
  const { ranks, ids, weights, positions, counts, offsets, experts, topK } = op;
  return { ranks, ids, weights, positions, counts, offsets, experts, topK };
}

export function routeGradients(walk: Walk, op: RouteOp): void {
  const { ranks, logits, ids, weights, experts, topK, rule } = op;
  const dweights = settle(walk, op, weights);
  if (dweights === undefined) return;
  const dx = gradientTensor(logits, `${logits.name}/gradient`, ranks);
  const own = { logits, ids, dweights, experts, topK, rule, ...op.losses, dx };
  walk.emit({ op: "route-gradient", ...walk.siteOf(op), ranks, ...own });
  walk.book.add(logits, ranks, { tensor: dx });
}

export function groupedMatmulGradients(walk: Walk, op: GroupedMatmulOp): void {
  const { origin, ranks, w, bias, offsets, choices, experts } = op;
  if (op.activation !== "none" || op.gate !== undefined) {
    throw new NotDifferentiable(`${origin.layer}: experts with a ${op.activation} behind them`);
  }
  const dy = settle(walk, op, allOf(op.y, op));
  if (dy === undefined) return;
  const site = walk.siteOf(op);
  const input = allOf(op.x, op);
  walk.emit({
    op: "grouped-weight-gradient",
    ...site,
    ranks,
    x: input,
    dy,
    offsets,
    choices,
    experts,
    weight: w,
    y: useWeight(walk, op, w),
  });
  if (bias !== undefined) expertBiasGradient(walk, op, bias, dy);
  if (!ranks.some((rank) => walk.isWanted(input, rank))) return;
  const before = takeOnly(walk, input, ranks, false);
  const dx = gradientTensor(input, `${input.name}/gradient/${w.name}`, ranks);
  walk.emit({
    op: "grouped-matmul",
    ...site,
    ranks,
    x: whole(dy),
    w,
    isTransposed: true,
    offsets,
    activation: "none",
    ...(before === undefined ? {} : { residual: whole(before) }),
    y: whole(dx),
    choices,
    experts,
  });
  walk.book.add(input, ranks, { tensor: dx });
}

function expertBiasGradient(walk: Walk, op: GroupedMatmulOp, bias: Tensor, dy: Tensor): void {
  const { ranks, w, offsets } = op;
  const [rank = 0] = ranks;
  const [rows = 0] = partOn(dy, rank)?.shape ?? [];
  const [own = 0] = partOn(w, rank)?.shape ?? [];
  walk.emit({
    op: "bias-gradient",
    ...walk.siteOf(op),
    ranks,
    dy: whole(dy),
    offsets,
    expectedRows: expectedRowsOf(op, rows, own),
    y: useWeight(walk, op, bias),
  });
}

/** Rows come back from their experts as they went there, and go there as they came back. */
export function expertTransferGradients(walk: Walk, op: ExpertTransferOp): void {
  const { from, to, x, y, kept, name, channelName } = op;
  const dy = settle(walk, op, y, to);
  if (dy === undefined) return;
  const isDispatch = op.op === "expert-dispatch";
  const dx = gradientTensor(x, `${x.name}/gradient`, from);
  const channel = `${channelName}/gradient`;
  walk.emit({
    ...op,
    ...walk.siteOf(op),
    op: isDispatch ? "expert-combine" : "expert-dispatch",
    name: `${name}/gradient`,
    channelName: channel,
    dispatchName: isDispatch ? (walk.sentOnAs.get(op.dispatchName) ?? op.dispatchName) : channel,
    from: to,
    to: from,
    x: dy,
    y: dx,
  });
  walk.book.add(x, from, { tensor: dx });
  if (!isDispatch) walk.sentOnAs.set(op.dispatchName, channel);
  if (isDispatch) for (const rank of from) walk.keptOf.set(rankKey(x, rank), kept);
}
