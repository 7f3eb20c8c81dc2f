// Gradients of choices' weights and of a router's logits, made again in f64 token by token.

import type { CombineWeightGradientShape } from "../../kernels/combine_weight_gradient.ts";
import type { RouteGradientShape } from "../../kernels/route_gradient.ts";
import { choiceWeightsGradient, routerPullGradient } from "../../reference/backward/routing.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { storedError } from "../../reference/rounding.ts";
import { productOf } from "./score.ts";
import type { Coverage } from "./coverage.ts";
import { checkPadding, exponentialError } from "./rows.ts";
import { choicesOf, places } from "./routing.ts";
import { countRows, rowsOf, runsOf, sampleRows } from "./sample.ts";
import type { Operands, CheckSampling } from "./view.ts";

export async function checkCombineWeights(
  { tokens, topK, hidden }: CombineWeightGradientShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(tokens, (1 + topK) * hidden, random, effort.rowElements);
  const deviation = createDeviation();
  const placeOf = await places(operands);
  const [ids, positions] = [await operands.words("ids"), await operands.words("positions")];
  const kept = await operands.words("kept");
  const dweights = await operands.floats("dweights");
  const isKept = (choice: number): boolean =>
    (positions[choice] ?? 0) < (kept[ids[choice] ?? 0] ?? 0);
  const used = choicesOf(rowsOf(runs), topK).filter(isKept);
  const x = await operands.rows("x", hidden, runsOf(used.map(placeOf)));
  const dy = await operands.rows("dy", hidden, runs);
  for (const row of rowsOf(runs)) {
    for (const choice of choicesOf([row], topK)) {
      const [actual, slot] = [dweights[choice] ?? Number.NaN, choice % topK];
      if (!isKept(choice)) {
        deviation.same(actual, 0, row, slot);
        continue;
      }
      const { value, error } = productOf(x.at(placeOf(choice)), dy.at(row));
      deviation.add(actual, value, error + storedError(value, "f32"), row, slot);
    }
    await operands.pace(2 * topK * hidden);
  }
  return { unit: "rows", checked: countRows(runs), total: tokens, deviation };
}

export async function checkRouteGradient(
  shape: RouteGradientShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { tokens, experts, topK, routedScale = 1, balance, logarithm = 0 } = shape;
  const runs = sampleRows(tokens, experts, random, effort.rowElements);
  const deviation = createDeviation();
  const logits = await operands.rows("logits", experts, runs);
  const dlogits = await operands.rows("dlogits", experts, runs);
  const ids = await operands.words("ids");
  const dweights = Float64Array.from(await operands.floats("dweights"));
  const choices =
    balance && countedChoices(await operands.words("counts"), experts, balance.blocks);
  const most = choices?.reduce((largest, count) => Math.max(largest, count), 0) ?? 0;
  const pull = {
    ...(balance === undefined || choices === undefined
      ? {}
      : { balance: { factor: balance.factor, choices } }),
    logarithm,
  };
  for (const row of rowsOf(runs)) {
    const own = Float64Array.from(logits.at(row).subarray(0, experts));
    const chosen = ids.subarray(row * topK, (row + 1) * topK);
    const given = dweights.subarray(row * topK, (row + 1) * topK);
    const besides = routerPullGradient(own, pull, shape);
    const expected = choiceWeightsGradient(own, chosen, shape, given);
    const spread = own.reduce((reach, logit) => Math.max(reach, Math.abs(logit)), 0);
    // All that is added up are shares of 1 at most times what they multiply.
    const relative = 2 * exponentialError(2 * spread) + 8 * Math.sqrt(experts + topK) * 2 ** -24;
    const largest = given.reduce((reach, value) => Math.max(reach, Math.abs(value)), 0);
    const size =
      2 * routedScale * largest +
      2 * Math.abs(balance?.factor ?? 0) * most +
      Math.abs(logarithm) * (spread + Math.log(experts));
    const actual = dlogits.at(row);
    for (const [e, of] of expected.entries()) {
      const value = of + (besides[e] ?? Number.NaN);
      const accepted = storedError(value, operands.dtype) + relative * size;
      deviation.add(actual[e] ?? Number.NaN, value, accepted, row, e);
    }
    checkPadding(actual, row, experts, deviation);
    await operands.pace(16 * experts);
  }
  return { unit: "rows", checked: countRows(runs), total: tokens, deviation };
}

/** Of each expert, by all ranks that route tokens. @param counts [blocks, experts] */
function countedChoices(counts: Uint32Array, experts: number, blocks: number): Float64Array {
  return Float64Array.from({ length: experts }, (_, expert) => {
    let sum = 0;
    for (let block = 0; block < blocks; block++) {
      sum += counts[block * experts + expert] ?? Number.NaN;
    }
    return sum;
  });
}
