// The gradient of a step's loss by every weight, in f64 on the CPU, knowing nothing of ranks, shards or instructions.

import type { Plan } from "../plan/plan.ts";
import type { ContentSource } from "../program/content_source.ts";
import { hashSource } from "../program/hash_source.ts";
import { type AppliedLayer, bothAgreements, forward, type Routes } from "./forward.ts";
import type { GradientContext, RoutingAgreement } from "./layers/context.ts";
import { referenceOf } from "./layers/layers.ts";
import { lossGradient } from "./loss.ts";
import { addTo, matrix, type Matrix } from "./tensor.ts";

export interface WeightGradient {
  /** Of the whole tensor. */
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Of the micro-batches that were asked for, what they add to the batch's. */
export interface ReferenceGradients extends RoutingAgreement {
  /** As `lossOf` defines it, a mean over the whole batch. */
  readonly loss: number;
  /** By the name of the tensor in contents. What only decides about choices has none. */
  readonly gradients: ReadonlyMap<string, WeightGradient>;
}

export interface GradientOptions {
  /** Default: all. */
  readonly microBatches?: readonly number[];
  /** Choices of the run under test, by micro-batch. Default: the reference's own. */
  readonly routesOf?: (microBatch: number) => Routes;
  /** Of weights, inputs and labels. Default: hashes of the plan's seed. */
  readonly source?: ContentSource;
  /** Awaited before each layer, both ways; may throw to end it. */
  readonly pause?: () => Promise<void>;
}

/** Weights and inputs are rounded to the plan's dtype, nothing else is. */
export async function referenceGradients(
  plan: Plan,
  {
    microBatches = [...Array(plan.workload.microBatches).keys()],
    routesOf = () => new Map(),
    source = hashSource(plan.workload.seed),
    pause = async () => undefined,
  }: GradientOptions = {},
): Promise<ReferenceGradients> {
  const gradients = new Map<string, WeightGradient>();
  const gradientOf: GradientContext["gradientOf"] = (tensor, shape) => {
    const known = gradients.get(tensor);
    if (known !== undefined) return known.data;
    const data = new Float64Array(shape.reduce((product, extent) => product * extent, 1));
    gradients.set(tensor, { shape, data });
    return data;
  };
  let loss = 0;
  let routing: RoutingAgreement = { routingGap: 0, reroutedChoices: 0, choices: 0 };
  for (const microBatch of microBatches) {
    const applied: AppliedLayer[] = [];
    const result = await forward(plan, microBatch, routesOf(microBatch), source, pause, (each) =>
      applied.push(each),
    );
    const of = lossGradient(plan, microBatch, result.output, source);
    loss += of.loss;
    routing = bothAgreements(routing, result);
    await backward(plan, applied, of.gradient, gradientOf, pause);
  }
  return { loss, gradients, ...routing };
}

/** Through the stages from the last layer to the first. */
async function backward(
  plan: Plan,
  applied: readonly AppliedLayer[],
  dOutput: Matrix,
  gradientOf: GradientContext["gradientOf"],
  pause: () => Promise<void>,
): Promise<void> {
  let dy = dOutput;
  let end = applied.length;
  for (const { layers } of plan.stages.toReversed()) {
    const ofStage = applied.slice(end - layers.length, end);
    end -= layers.length;
    const inputGradients = ofStage.map(({ x }) => matrix(x.rows, x.columns));
    for (const [index, { layer, context, x }] of [...ofStage.entries()].toReversed()) {
      await pause();
      const own = { ...context, gradientOf, inputGradients };
      const dx = referenceOf(layer).gradient(own, layer, x, dy);
      dy = inputGradients[index]!;
      if (dx !== undefined) addTo(dy.data, dx.data);
    }
  }
}
