// What the reference computes a layer with, and what it gives.

import type { StorageType } from "../../kernels/storage.ts";
import type { EmbeddingLayer } from "../../plan/layers/embedding.ts";
import type { Layer } from "../../plan/layers/layers.ts";
import type { Workload } from "../../plan/plan.ts";
import type { RegionContent } from "../../program/content.ts";
import type { ContentSource } from "../../program/content_source.ts";
import { contentValues } from "../../program/content_values.ts";
import { biasScale, weightScale } from "../../program/layers/context.ts";
import { positionScale, tableScale } from "../../program/layers/embedding_table.ts";
import type { RoundingSteps, Signal } from "../signal.ts";
import { type Affine, matrix, type Matrix } from "../tensor.ts";

export interface ReferenceContext {
  readonly workload: Workload;
  /** Of weights. */
  readonly source: ContentSource;
  /** The layer's, in programs. */
  readonly name: string;
  /** Of what the layer reads. */
  readonly rowsPerSample: number;
  /** Inputs of the stage's layers up to this one. */
  readonly inputs: readonly Matrix[];
  /** The plan's embedding, whose table a tied head multiplies with. */
  readonly embedding?: { readonly name: string; readonly layer: EmbeddingLayer };
  /** Expert ids [rows, topK] that the run under test chose. */
  readonly routes?: Uint32Array;
}

export interface GradientContext extends ReferenceContext {
  /** Sums of the gradient of a tensor, by its name in contents and in its shape, to add to. */
  readonly gradientOf: (tensor: string, shape: readonly number[]) => Float64Array;
  /** Of what each of the stage's layers read, up to this one, to add to. */
  readonly inputGradients: readonly Matrix[];
}

/** What a mixture of experts says of its choices. */
export interface RoutingAgreement {
  /**
   * Largest amount by which a chosen expert's logit falls short of the best one left out: 0 where the
   * choice is the true top-k, small where rounding decided a near tie.
   */
  readonly routingGap: number;
  /** Choices that differ from the true top-k. */
  readonly reroutedChoices: number;
  readonly choices: number;
}

export interface LayerResult {
  readonly output: Matrix;
  /** Absent: as many as before. */
  readonly rowsPerSample?: number;
  readonly routing?: RoutingAgreement;
  /** What a training step minimizes besides its loss. */
  readonly routerLoss?: number;
}

/** All that the reference knows of a kind of layer. */
export interface ReferenceLayer<Kind extends Layer> {
  /** @param x what the layer reads; of an embedding token ids, one a row */
  readonly apply: (context: ReferenceContext, layer: Kind, x: Matrix) => LayerResult;
  /**
   * Adds to the gradients of the layer's weights, and of earlier inputs that it reads.
   *
   * @param dy gradient of the output
   * @returns that of x; none where nothing behind the layer depends on x
   */
  readonly gradient: (
    context: GradientContext,
    layer: Kind,
    x: Matrix,
    dy: Matrix,
  ) => Matrix | undefined;
  /**
   * What becomes of a value and its error.
   *
   * @param inputs of the stage's layers up to this one
   */
  readonly round: (
    steps: RoundingSteps,
    layer: Kind,
    x: Signal,
    inputs: readonly Signal[],
  ) => Signal;
  /** Mean square of the error of what decides a choice. Absent: the layer chooses nothing. */
  readonly choiceError?: (steps: RoundingSteps, layer: Kind, x: Signal) => number;
}

/** The layer's matrix `part` [k, n]. */
export function referenceWeight(
  context: ReferenceContext,
  part: string,
  k: number,
  n: number,
): Matrix {
  return matrix(k, n, wholeOf(context, `${context.name}/${part}`, [k, n], 0, weightScale(k)));
}

/** A norm's gain or bias, or another vector [size], uniform around `center`. */
export function referenceVector(
  context: ReferenceContext,
  part: string,
  size: number,
  center: number,
  dtype: StorageType = context.workload.dtype,
): Float64Array {
  return wholeOf(context, `${context.name}/${part}`, [size], center, 0.1, dtype);
}

/** The layer's matrix `part` [k, n], where it is biased with its bias; `part` is empty or ends with a slash. */
export function affine(
  context: ReferenceContext,
  part: string,
  k: number,
  n: number,
  isBiased = false,
): Affine {
  return {
    weight: referenceWeight(context, `${part}weight`, k, n),
    ...(isBiased ? { bias: biasOf(context, part, n) } : {}),
  };
}

/** The bias [size] of the layer's matrix `part`. */
export function biasOf(context: ReferenceContext, part: string, size: number): Float64Array {
  return wholeOf(context, `${context.name}/${part}bias`, [size], 0, biasScale);
}

/** Expert by expert, the layer's matrices `part` [experts, k, n], and where they are biased biases [experts, 1, n]. */
export function expertAffine(
  { workload, source, name }: ReferenceContext,
  part: string,
  experts: number,
  k: number,
  n: number,
  isBiased = false,
): (expert: number) => Affine {
  const valuesOf = (what: string, scale: number, rows: number, expert: number): Float64Array => {
    const content: RegionContent = {
      kind: "uniform",
      tensor: `${name}/${part}/${what}`,
      center: 0,
      scale,
      shape: [experts, rows, n],
      offset: [expert, 0, 0],
      size: [1, rows, n],
    };
    return contentValues(content, source, workload.dtype);
  };
  return (expert) => ({
    weight: matrix(k, n, valuesOf("weight", weightScale(k), k, expert)),
    ...(isBiased ? { bias: valuesOf("bias", biasScale, 1, expert) } : {}),
  });
}

/** Of an embedding, [vocabulary, hidden]. */
export function tableOf(
  context: ReferenceContext,
  embedding: ReferenceContext["embedding"],
): Matrix {
  if (embedding === undefined) throw new Error("no embedding to be tied to");
  const { name, layer } = embedding;
  const shape = [layer.vocabulary, layer.hidden] as const;
  return matrix(...shape, wholeOf(context, `${name}/weight`, shape, 0, tableScale));
}

/** Learned positions [count, hidden] of the layer, which is an embedding. */
export function positionsOf(context: ReferenceContext, count: number, hidden: number): Matrix {
  return matrix(
    count,
    hidden,
    wholeOf(context, `${context.name}/positions`, [count, hidden], 0, positionScale),
  );
}

function wholeOf(
  { workload, source }: ReferenceContext,
  tensor: string,
  shape: readonly number[],
  center: number,
  scale: number,
  dtype: StorageType = workload.dtype,
): Float64Array {
  return contentValues(
    { kind: "uniform", tensor, center, scale, shape, offset: shape.map(() => 0), size: shape },
    source,
    dtype,
  );
}
