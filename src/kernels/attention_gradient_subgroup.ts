import { attentionConstants, type AttentionShape, valueDimOf } from "./attention_shape.ts";
import type { AlternativeShader } from "./kernel.ts";
import { ceilDiv, rowQuads } from "./storage.ts";
import { subgroupSizeOf } from "./subgroups.ts";

/** Queries, or keys, that a subgroup owns. */
const ownRows = 8;

interface Sizes {
  readonly batch: number;
  /** Of each sequence. */
  readonly rows: number;
  readonly heads: number;
  readonly headDim: number;
  readonly valueDim: number;
}

/** Quads of the head that one lane sums. Wider heads are split, and each part makes all scores again. */
function columnsOf(sizes: Sizes, lanes: number): 1 | 2 | 4 {
  const columns = ceilDiv(quadsOf(sizes), lanes);
  if (columns <= 2) return columns <= 1 ? 1 : 2;
  return 4;
}

function groupsOf(sizes: Sizes, lanes: number): number {
  return ceilDiv(quadsOf(sizes), columnsOf(sizes, lanes) * lanes);
}

/** Of a head's queries and keys, or of its values. */
function quadsOf({ headDim, valueDim }: Sizes): number {
  return Math.max(rowQuads(headDim), rowQuads(valueDim));
}

/** With rows, probabilities and slopes handed round within subgroups of 4 or 8. */
export function gradientBySubgroups<Shape>(
  sizesOf: (shape: Shape) => Sizes,
  constantsOf: (shape: Shape) => Record<string, number>,
): AlternativeShader<Shape> {
  return {
    name: "attention_gradient_subgroup",
    runsOn: (adapter) => [4, 8].includes(subgroupSizeOf(adapter)),
    // Each part of a split head makes all scores again, which lanes of 8 still do in less time than the other shader.
    isPreferred: (shape, adapter) =>
      subgroupSizeOf(adapter) === 8 || groupsOf(sizesOf(shape), 4) === 1,
    tilings: (shape, adapter) => {
      const sizes = sizesOf(shape);
      const { batch, rows, heads } = sizes;
      const lanes = subgroupSizeOf(adapter);
      const columns = columnsOf(sizes, lanes);
      return [
        {
          constants: { ...constantsOf(shape), LANES: lanes, COLUMNS: columns },
          grid: [2 * ceilDiv(rows, ownRows) * groupsOf(sizes, lanes), heads, batch],
          prelude: "attention/lanes",
        },
      ];
    },
  };
}

/** `attention_gradient` so. */
export const attentionGradientSubgroup = gradientBySubgroups<AttentionShape>((shape) => {
  const { batch, sequence, heads, headDim } = shape;
  return { batch, rows: sequence, heads, headDim, valueDim: valueDimOf(shape) };
}, attentionConstants);
