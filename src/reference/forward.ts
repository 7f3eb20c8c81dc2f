// The right answer: the plan's layers in f64 on the CPU, knowing nothing of ranks, shards or instructions.

import type { Layer, Plan } from "../plan/plan.ts";
import type { RegionContent } from "../program/content.ts";
import { contentValues } from "../program/content_values.ts";
import { weightScale } from "../program/layers/context.ts";
import { rowsPerExpertGroup } from "../program/layers/expert_columns.ts";
import { embeddingOf, inputColumns, layerName } from "../program/plan_ops.ts";
import { activationOf, gelu, silu } from "./activations.ts";
import { attend } from "./attention.ts";
import { mixtureOfExperts } from "./experts.ts";
import { combine, mapValues, matrix, multiply, rowOf, transpose, type Matrix } from "./tensor.ts";

export interface ReferenceResult {
  readonly output: Matrix;
  /** Over all mixtures of experts; see `MoeResult`. */
  readonly routingGap: number;
  readonly reroutedChoices: number;
  readonly choices: number;
}

/** Expert ids chosen by the run under test, per layer name: [rows of the micro-batch, topK]. */
export type Routes = ReadonlyMap<string, Uint32Array>;

/**
 * The result of one micro-batch. Weights and inputs are rounded to the plan's dtype, nothing else is.
 *
 * @param pause awaited before each layer, so that a caller can stay responsive or throw to end it
 */
export const forward = async (
  plan: Plan,
  microBatch: number,
  routes: Routes,
  pause: () => Promise<void> = async () => undefined,
): Promise<ReferenceResult> => {
  const run = createRun(plan, microBatch, routes);
  let x: Matrix | undefined;
  for (const stage of plan.stages) {
    const inputs: Matrix[] = [];
    for (const layer of stage.layers) {
      await pause();
      if (layer.op === "embedding") {
        x = run.embed(layer, layerName(stage, layer));
        inputs.push(x);
        continue;
      }
      const input: Matrix = x ?? run.inputVectors(layer);
      inputs.push(input);
      x = run.apply(layer, layerName(stage, layer), input, inputs);
    }
  }
  if (x === undefined) throw new Error("a plan needs at least one layer");
  return { output: x, ...run.routing };
};

type HiddenLayer = Exclude<Layer, { op: "embedding" }>;

const createRun = (plan: Plan, microBatch: number, routes: Routes) => {
  const { batch, microBatches, sequence, dtype, seed } = plan.workload;
  const rows = (batch / microBatches) * sequence;
  const routing = { routingGap: 0, reroutedChoices: 0, choices: 0 };
  let rowsPerSample = sequence;

  const whole = (tensor: string, shape: readonly number[], center: number, scale: number) =>
    contentValues(
      { kind: "uniform", tensor, center, scale, shape, offset: shape.map(() => 0), size: shape },
      seed,
      dtype,
    );
  const weight = (tensor: string, input: number, output: number, scale = weightScale(input)) =>
    matrix(input, output, whole(tensor, [input, output], 0, scale));
  const expertWeight = (tensor: string, experts: number, k: number, n: number) => {
    const content = (expert: number): RegionContent => ({
      kind: "uniform",
      tensor,
      center: 0,
      scale: weightScale(k),
      shape: [experts, k, n],
      offset: [expert, 0, 0],
      size: [1, k, n],
    });
    return (expert: number): Matrix => matrix(k, n, contentValues(content(expert), seed, dtype));
  };

  const tableOf = (embedding: ReturnType<typeof embeddingOf>): Matrix => {
    if (embedding === undefined) throw new Error("no embedding to be tied to");
    const { name, layer } = embedding;
    return weight(`${name}/weight`, layer.vocabulary, layer.hidden, 1);
  };

  const embed = (layer: Extract<Layer, { op: "embedding" }>, name: string): Matrix => {
    const table = tableOf({ name, layer });
    const ids = contentValues(
      {
        kind: "ids",
        tensor: "ids",
        vocabulary: layer.vocabulary,
        shape: [batch * sequence],
        offset: [microBatch * rows],
        size: [rows],
      },
      seed,
      dtype,
    );
    const out = matrix(rows, layer.hidden);
    for (const [row, id] of ids.entries()) rowOf(out, row).set(rowOf(table, id));
    return out;
  };

  const inputVectors = (layer: Layer): Matrix => {
    const columns = inputColumns(layer);
    const content: RegionContent = {
      kind: "uniform",
      tensor: "input",
      center: 0,
      scale: 1,
      shape: [batch * sequence, columns],
      offset: [microBatch * rows, 0],
      size: [rows, columns],
    };
    return matrix(rows, columns, contentValues(content, seed, dtype));
  };

  const apply = (
    layer: HiddenLayer,
    name: string,
    x: Matrix,
    inputs: readonly Matrix[],
  ): Matrix => {
    switch (layer.op) {
      case "linear": {
        const weights = layer.tied
          ? transpose(tableOf(embeddingOf(plan)))
          : weight(`${name}/weight`, layer.in, layer.out);
        return mapValues(multiply(x, weights), activationOf[layer.activation]);
      }
      case "attention": {
        const { hidden, heads, kvHeads, headDim } = layer;
        const project = (part: string, columns: number): Matrix =>
          multiply(x, weight(`${name}/${part}/weight`, hidden, columns));
        const attended = attend(
          layer,
          rowsPerSample,
          project("q", heads * headDim),
          project("k", kvHeads * headDim),
          project("v", kvHeads * headDim),
        );
        return multiply(attended, weight(`${name}/output/weight`, heads * headDim, hidden));
      }
      case "mlp": {
        const up = multiply(x, weight(`${name}/up/weight`, layer.hidden, layer.ffn));
        const inner =
          layer.activation === "gelu"
            ? mapValues(up, gelu)
            : combine(
                multiply(x, weight(`${name}/gate/weight`, layer.hidden, layer.ffn)),
                up,
                (gate, value) => silu(gate) * value,
              );
        return multiply(inner, weight(`${name}/down/weight`, layer.ffn, layer.hidden));
      }
      case "moe": {
        const { hidden, ffn, experts, topK } = layer;
        const part = (which: string, k: number, n: number) =>
          expertWeight(`${name}/experts/${which}/weight`, experts, k, n);
        const result = mixtureOfExperts(
          layer,
          x,
          {
            router: weight(`${name}/router/weight`, hidden, experts),
            up: part("up", hidden, ffn),
            gate: part("gate", hidden, ffn),
            down: part("down", ffn, hidden),
          },
          rowsPerExpertGroup(layer, x.rows, rowsPerSample),
          routes.get(name),
        );
        routing.routingGap = Math.max(routing.routingGap, result.routingGap);
        routing.reroutedChoices += result.reroutedChoices;
        routing.choices += x.rows * topK;
        return result.output;
      }
      case "norm": {
        const gain = whole(`${name}/gain`, [layer.hidden], 1, 0.1);
        const bias =
          layer.norm === "layer" ? whole(`${name}/bias`, [layer.hidden], 0, 0.1) : undefined;
        return normalise(x, layer.epsilon, gain, bias);
      }
      case "residual":
        return combine(x, inputs[layer.from] ?? x, (a, b) => a + b);
      case "aggregate": {
        const group = layer.over === "batch" ? x.rows : rowsPerSample;
        rowsPerSample = 1;
        return meanOfGroups(x, group);
      }
    }
  };
  return { embed, inputVectors, apply, routing };
};

/** LayerNorm with a bias, else RMSNorm. */
const normalise = (x: Matrix, epsilon: number, gain: Float64Array, bias?: Float64Array): Matrix => {
  const out = matrix(x.rows, x.columns);
  for (let r = 0; r < x.rows; r++) {
    const row = rowOf(x, r);
    const mean = bias === undefined ? 0 : row.reduce((sum, v) => sum + v, 0) / x.columns;
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.columns;
    const scale = 1 / Math.sqrt(variance + epsilon);
    rowOf(out, r).set(row.map((v, c) => (v - mean) * scale * gain[c]! + (bias?.[c] ?? 0)));
  }
  return out;
};

const meanOfGroups = (x: Matrix, group: number): Matrix => {
  const out = matrix(x.rows / group, x.columns);
  for (let r = 0; r < x.rows; r++) {
    const target = rowOf(out, Math.floor(r / group));
    rowOf(x, r).forEach((value, c) => {
      target[c]! += value / group;
    });
  }
  return out;
};
