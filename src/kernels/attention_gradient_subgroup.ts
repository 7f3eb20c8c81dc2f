import { attentionConstants, type AttentionShape, valueDimOf } from "./attention_shape.ts";
import type { AlternativeShader } from "./kernel.ts";
import { ceilDiv, rowQuads } from "./storage.ts";
import { subgroupSizeOf } from "./subgroups.ts";

/** Queries, or keys, that a subgroup owns. */
const ownRows = 8;

/** Quads of the head that one lane sums. Wider heads are split, and each part makes all scores again. */
function columnsOf(shape: AttentionShape, lanes: number): 1 | 2 | 4 {
  const columns = ceilDiv(quadsOf(shape), lanes);
  if (columns <= 2) return columns <= 1 ? 1 : 2;
  return 4;
}

function groupsOf(shape: AttentionShape, lanes: number): number {
  return ceilDiv(quadsOf(shape), columnsOf(shape, lanes) * lanes);
}

/** Of a head's queries and keys, or of its values. */
function quadsOf(shape: AttentionShape): number {
  return Math.max(rowQuads(shape.headDim), rowQuads(valueDimOf(shape)));
}

/** `attention_gradient` with rows, probabilities and slopes handed round within subgroups of 4 or 8. */
export const attentionGradientSubgroup: AlternativeShader<AttentionShape> = {
  name: "attention_gradient_subgroup",
  runsOn: (adapter) => [4, 8].includes(subgroupSizeOf(adapter)),
  // Each part of a split head makes all scores again, which lanes of 8 still do in less time than the other shader.
  isPreferred: (shape, adapter) => subgroupSizeOf(adapter) === 8 || groupsOf(shape, 4) === 1,
  tilings: (shape, adapter) => {
    const { batch, sequence, heads } = shape;
    const lanes = subgroupSizeOf(adapter);
    const columns = columnsOf(shape, lanes);
    return [
      {
        constants: { ...attentionConstants(shape), LANES: lanes, COLUMNS: columns },
        grid: [2 * ceilDiv(sequence, ownRows) * groupsOf(shape, lanes), heads, batch],
        prelude: "attention/lanes",
      },
    ];
  },
};
