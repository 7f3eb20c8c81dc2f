// A rule on weights that are quantized in blocks: values of one block share a scale, so that a shard has whole blocks.

import type { Diagnostic } from "../diagnostic.ts";
import type { Path } from "../document.ts";
import { expertTensorOf } from "../mesh.ts";
import type { Degrees, Model } from "../plan.ts";
import { error, type Rule } from "./rule.ts";

interface Split {
  readonly path: Path;
  readonly what: string;
  readonly size: number;
  readonly parts: number;
}

export const shardsHaveWholeBlocks: Rule = ({ model, degrees }) =>
  model === undefined || degrees === undefined ? [] : brokenBlocks(model, degrees);

/**
 * A column-parallel weight splits its output, a row-parallel one its input; an inner width is the one of the first
 * product and the other of the second.
 */
export const brokenBlocks = (model: Model, degrees: Degrees): Diagnostic[] => {
  const { input, output } = model.quantizationBlock ?? {};
  const splits = splitsOf(model, degrees).filter(({ parts }) => parts > 1);
  return splits.flatMap(({ path, what, size, parts }): Diagnostic[] => {
    const shard = size / parts;
    const block = [input, output].find((each) => each !== undefined && shard % each !== 0);
    return block === undefined || !Number.isInteger(shard)
      ? []
      : [
          error(
            "shard-splits-quantization-block",
            path,
            `${what} ${size} / ${parts} = ${shard} is no multiple of the quantization block of ${block}`,
            `choose a tensor degree that leaves every GPU multiples of ${block}`,
          ),
        ];
  });
};

const splitsOf = (model: Model, degrees: Degrees): Split[] => {
  const { tensor } = degrees;
  const { layers, ffn, heads, headDim, latent, moe } = model;
  const hasDense =
    moe === undefined || moe.dense || (moe.denseLayers?.some((i) => i < layers) ?? false);
  return [
    ...(hasDense ? [{ path: ["model", "ffn"], what: "ffn", size: ffn, parts: tensor }] : []),
    ...(moe === undefined
      ? []
      : [
          {
            path: ["model", "moe", "ffn"],
            what: "the experts' ffn",
            size: moe.ffn,
            parts: expertTensorOf(degrees),
          },
        ]),
    ...(moe?.sharedFfn === undefined
      ? []
      : [
          {
            path: ["model", "moe", "sharedFfn"],
            what: "the shared experts' ffn",
            size: moe.sharedFfn,
            parts: tensor,
          },
        ]),
    {
      path: ["model", "heads"],
      what: "the heads' width",
      size: heads * (latent?.valueDim ?? headDim),
      parts: tensor,
    },
  ];
};
