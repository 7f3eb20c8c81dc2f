// How a checkpoint stores a weight of a plan: what a family of models says of it, and the view that follows once the
// stored tensor's shape is known.

import type { BlockScales } from "../block_scales.ts";
import type { CheckpointTensor } from "../checkpoint.ts";
import { type ElementType, isReadable } from "../element_type.ts";
import { refusedWeights } from "../refused_weights.ts";
import { type Axis, axis, lengthOf, type StoredTensor, type TensorView } from "../tensor_view.ts";

/** Some of a stored tensor's outputs: those of one of several projections that are stored as one. */
export interface TensorSection {
  /** Outputs that are stored. */
  readonly of: number;
  readonly first: number;
  /** Where each output lies, in outputs. */
  readonly along: Axis;
}

/** So many outputs in a row. */
export function section(first: number, count: number, of: number): TensorSection {
  return {
    of,
    first,
    along: axis(count, 1),
  };
}

export interface Recipe {
  /** Of the stored tensor; `{i}` stands for the block, `{e}` for the expert. */
  readonly name: string;
  /** Stored [in, out]. Absent: [out, in], as a linear layer of PyTorch. */
  readonly isInFirst?: boolean;
  /** Absent: all outputs. */
  readonly section?: TensorSection;
  /** Added to every value. */
  readonly plus?: number;
  /** Name of the scales of runs of 32 in a row, where the elements are of four bits, two to a byte. */
  readonly scales?: string;
}

/** A stored tensor, and that with the scales of its blocks. */
export interface FoundTensor {
  readonly tensor: CheckpointTensor;
  readonly scales?: CheckpointTensor;
}

/** What a plan has of a weight. Vectors have outputs only; a table is [outputs, inputs]. */
export interface PlanWeight {
  /** [experts], [in] and [out], of which it has the last at least. */
  readonly experts?: number;
  readonly inputs?: number;
  readonly outputs: number;
  /** [out, in] instead of [in, out]. */
  readonly isTable?: boolean;
}

/**
 * The plan's weight in a stored tensor.
 *
 * @param stored one, or one per expert
 * @throws EnvironmentError `weights-refused` where a shape or type is another
 */
export function viewOf(
  where: string,
  weight: PlanWeight,
  recipe: Recipe,
  stored: readonly FoundTensor[],
): TensorView {
  const { experts, isTable = false } = weight;
  const { isInFirst = false, plus } = recipe;
  const [outputs, first, along] =
    recipe.section === undefined
      ? [weight.outputs, 0, axis(weight.outputs, 1)]
      : [recipe.section.of, recipe.section.first, recipe.section.along];
  if (lengthOf(along) !== weight.outputs) {
    throw refusedWeights(
      where,
      `the plan has ${weight.outputs} outputs, and ${lengthOf(along)} of its ${outputs} are such`,
      "import the plan from the config.json beside the weights",
    );
  }
  const inputs = weight.inputs === undefined ? [] : [weight.inputs];
  const each = isInFirst ? [...inputs, outputs] : [outputs, ...inputs];
  const isStacked = experts !== undefined && !recipe.name.includes("{e}");
  const shape = isStacked ? [experts, ...each] : each;
  const outStride = isInFirst ? 1 : (weight.inputs ?? 1);
  const out: Axis = { ...along, strides: along.strides.map((stride) => stride * outStride) };
  // Biases of experts lie as matrices of one row.
  const unit = experts !== undefined && inputs.length === 0 ? [axis(1, 0)] : [];
  const ins = inputs.map((extent) => axis(extent, isInFirst ? outputs : 1));
  const size = outputs * (weight.inputs ?? 1);
  return {
    stored: stored.map((found) =>
      recipe.scales === undefined ? asStored(where, found, shape) : inRuns(where, found, shape),
    ),
    start: first * outStride,
    axes: [
      ...(experts === undefined ? [] : [axis(experts, isStacked ? size : 0)]),
      ...(isTable ? [out, ...ins] : [...unit, ...ins, out]),
    ],
    ...(plus === undefined ? {} : { plus }),
  };
}

function refuseOther(where: string, { shape }: CheckpointTensor, wanted: readonly number[]): void {
  if (shape.length === wanted.length && shape.every((extent, i) => extent === wanted[i])) return;
  const both = `it is [${shape.join(", ")}], and the plan needs [${wanted.join(", ")}]`;
  throw refusedWeights(where, both, "import the plan from the config.json beside the weights");
}

function asStored(
  where: string,
  { tensor, scales }: FoundTensor,
  shape: readonly number[],
): StoredTensor {
  refuseOther(where, tensor, shape);
  const { file, type, offset } = tensor;
  if (isReadable(type)) return { file, type, offset };
  if (type !== "F8_E4M3") throw unreadable(where, type);
  return { file, type, offset, scales: ofBlocks(where, scales, shape) };
}

function unreadable(where: string, type: ElementType): Error {
  return refusedWeights(
    where,
    `its values are ${type}; f32, f16 and bf16 can be read, F8_E4M3 with a scale for every ${fp8Block} by ${fp8Block}, and four bits with one for every ${run}`,
  );
}

/** As DeepSeek V3 is published: scales of square blocks. */
const fp8Block = 128;

function ofBlocks(
  where: string,
  scales: CheckpointTensor | undefined,
  [rows = 1, columns = 1, ...more]: readonly number[],
): BlockScales {
  const own = [Math.ceil(rows / fp8Block), Math.ceil(columns / fp8Block)];
  if (scales === undefined || more.length > 0) throw unreadable(where, "F8_E4M3");
  refuseOther(`${where}, its scales`, scales, own);
  const { file, type, offset } = scales;
  if (!isReadable(type)) throw unreadable(`${where}, its scales`, type);
  return { file, type, offset, columns, blockRows: fp8Block, blockColumns: fp8Block };
}

/** Of microscaling formats. */
const run = 32;

/** Four bits an element, low halves first, and an exponent for every run of a row. */
function inRuns(
  where: string,
  { tensor, scales }: FoundTensor,
  shape: readonly number[],
): StoredTensor {
  const columns = shape.at(-1) ?? 1;
  const runs = [...shape.slice(0, -1), columns / run];
  refuseOther(where, tensor, [...runs, run / 2]);
  if (scales === undefined) throw refusedWeights(where, "its scales are missing");
  refuseOther(`${where}, its scales`, scales, runs);
  const other = [tensor, scales].find(({ type }) => type !== "U8");
  if (other !== undefined) throw unreadable(where, other.type);
  return {
    file: tensor.file,
    type: "F4",
    offset: tensor.offset,
    scales: {
      file: scales.file,
      type: "F8_E8M0",
      offset: scales.offset,
      columns,
      blockRows: 1,
      blockColumns: run,
    },
  };
}
