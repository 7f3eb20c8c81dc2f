// Values of one quantization block share a scale, so that a shard of a weight has whole blocks.

import type { Diagnostic } from "../../../plan/diagnostic.ts";
import { divisors } from "../../../plan/divisors.ts";
import type { Path } from "../../../plan/document.ts";
import { expertTensorOf, ranksPerStage, tensorDegreeFits } from "../../../plan/mesh.ts";
import type { Degrees, Model } from "../../../plan/plan.ts";
import { degreesWith } from "../../example.ts";
import { fixOfPlan, setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

interface Split {
  readonly path: Path;
  readonly what: string;
  readonly size: number;
  readonly parts: number;
}

/** The largest first. */
function divisorsBelow(tensor: number): number[] {
  return divisors(tensor)
    .filter((fewer) => fewer < tensor)
    .toReversed();
}

const shardSplitsQuantizationBlock: DiagnosticDefinition = {
  code: "shard-splits-quantization-block",
  severity: "error",
  title: "Shard Splits Quantization Block",
  requires: "Of weights that are quantized in blocks, every GPU has whole blocks.",
  examples: {
    bad: degreesWith({ model: { quantizationBlock: { input: 128, output: 128 } } }),
    good: degreesWith({ model: { quantizationBlock: { input: 16, output: 16 } } }),
  },
  fix: fixOfPlan(({ degrees, model }, faulty) => {
    if (degrees === undefined || model === undefined) return [];
    const { tensor } = degrees;
    const fits = divisorsBelow(tensor).filter(
      (fewer) =>
        tensorDegreeFits(model, fewer) &&
        brokenBlocks(model, { ...degrees, tensor: fewer }).length === 0,
    );
    const ofTensor = fits
      .slice(0, 2)
      .map((fewer) =>
        setNumber(
          faulty,
          ["parallel", "tensor"],
          fewer,
          "larger shards: more memory and work per GPU",
        ),
      );
    const ranks = ranksPerStage(degrees);
    const whole = { ...degrees, expert: ranks, expertTensor: 1 };
    const holdsWhole =
      model.moe !== undefined &&
      degrees.expert === 1 &&
      model.moe.experts % ranks === 0 &&
      brokenBlocks(model, whole).length === 0;
    return [
      ...(holdsWhole
        ? [
            setNumber(
              faulty,
              ["parallel", "expert"],
              ranks,
              "whole experts on each GPU: tokens are sent to them",
            ),
          ]
        : []),
      ...ofTensor,
    ];
  }),
};

export const shardsHaveWholeBlocks: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [shardSplitsQuantizationBlock],
  ofPlan: ({ model, degrees }) =>
    model === undefined || degrees === undefined ? [] : brokenBlocks(model, degrees),
};

/**
 * A column-parallel weight splits its output, a row-parallel one its input; an inner width is the one of the first
 * product and the other of the second.
 */
function brokenBlocks(model: Model, degrees: Degrees): Diagnostic[] {
  const { input, output } = model.quantizationBlock ?? {};
  const splits = splitsOf(model, degrees).filter(({ parts }) => parts > 1);
  return splits.flatMap(({ path, what, size, parts }): Diagnostic[] => {
    const shard = size / parts;
    const block = [input, output].find((each) => each !== undefined && shard % each !== 0);
    return block === undefined || !Number.isInteger(shard)
      ? []
      : [
          report(
            shardSplitsQuantizationBlock,
            path,
            `${what} ${size} / ${parts} = ${shard} is no multiple of the quantization block of ${block}`,
            `choose a tensor degree that leaves every GPU multiples of ${block}`,
          ),
        ];
  });
}

function splitsOf(model: Model, degrees: Degrees): Split[] {
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
}
