// The right answer: the plan's layers in f64 on the CPU, knowing nothing of ranks, shards or instructions.

import type { Layer } from "../plan/layers/layers.ts";
import type { Plan } from "../plan/plan.ts";
import type { ContentSource } from "../program/content_source.ts";
import { contentValues } from "../program/content_values.ts";
import { hashSource } from "../program/hash_source.ts";
import { embeddingOf, inputColumns, layerName } from "../program/plan_ops.ts";
import type { ReferenceContext, RoutingAgreement } from "./layers/context.ts";
import { referenceOf } from "./layers/layers.ts";
import { matrix, type Matrix } from "./tensor.ts";

/** Choices are those of all mixtures of experts. */
export interface ReferenceResult extends RoutingAgreement {
  readonly output: Matrix;
  /** What routers add to what a training step minimizes. */
  readonly routerLoss: number;
}

/** Expert ids chosen by the run under test, per layer name: [rows of the micro-batch, topK]. */
export type Routes = ReadonlyMap<string, Uint32Array>;

/** A layer as it is applied, with what it reads. */
export interface AppliedLayer {
  readonly layer: Layer;
  readonly context: ReferenceContext;
  readonly x: Matrix;
}

/**
 * The result of one micro-batch. Weights and inputs are rounded to the plan's dtype, nothing else is.
 *
 * @param source of weights and inputs
 * @param pause awaited before each layer, so that a caller can stay responsive or throw to end it
 * @param applies told of each layer, in order
 */
export async function forward(
  plan: Plan,
  microBatch: number,
  routes: Routes,
  source: ContentSource = hashSource(plan.workload.seed),
  pause: () => Promise<void> = async () => undefined,
  applies?: (applied: AppliedLayer) => void,
): Promise<ReferenceResult> {
  const { workload } = plan;
  const embedding = embeddingOf(plan);
  let rowsPerSample = workload.sequence;
  let routing: RoutingAgreement = { routingGap: 0, reroutedChoices: 0, choices: 0 };
  let output: Matrix | undefined;
  let routerLoss = 0;
  for (const stage of plan.stages) {
    const inputs: Matrix[] = [];
    for (const layer of stage.layers) {
      await pause();
      const name = layerName(stage, layer);
      const x: Matrix = output ?? inputOf(plan, layer, microBatch, source);
      inputs.push(x);
      const own = routes.get(name);
      const context = {
        workload,
        source,
        name,
        rowsPerSample,
        inputs,
        ...(embedding && { embedding }),
        ...(own && { routes: own }),
      };
      applies?.({ layer, context, x });
      const result = referenceOf(layer).apply(context, layer, x);
      output = result.output;
      rowsPerSample = result.rowsPerSample ?? rowsPerSample;
      routerLoss += result.routerLoss ?? 0;
      if (result.routing !== undefined) routing = bothAgreements(routing, result.routing);
    }
  }
  if (output === undefined) throw new Error("a plan needs at least one layer");
  return { output, routerLoss, ...routing };
}

export function bothAgreements(a: RoutingAgreement, b: RoutingAgreement): RoutingAgreement {
  return {
    routingGap: Math.max(a.routingGap, b.routingGap),
    reroutedChoices: a.reroutedChoices + b.reroutedChoices,
    choices: a.choices + b.choices,
  };
}

/** What the first layer reads: token ids, one a row, or vectors. */
function inputOf(
  { workload }: Plan,
  layer: Layer,
  microBatch: number,
  source: ContentSource,
): Matrix {
  const { batch, microBatches, sequence, dtype } = workload;
  const rows = (batch / microBatches) * sequence;
  if (layer.op === "embedding") {
    const ids = contentValues(
      {
        kind: "ids",
        tensor: "ids",
        vocabulary: layer.vocabulary,
        shape: [batch * sequence],
        offset: [microBatch * rows],
        size: [rows],
      },
      source,
      dtype,
    );
    return matrix(rows, 1, ids);
  }
  const columns = inputColumns(layer);
  const vectors = contentValues(
    {
      kind: "uniform",
      tensor: "input",
      center: 0,
      scale: 1,
      shape: [batch * sequence, columns],
      offset: [microBatch * rows, 0],
      size: [rows, columns],
    },
    source,
    dtype,
  );
  return matrix(rows, columns, vectors);
}
