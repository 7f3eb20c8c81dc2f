// How layers are dealt to pipeline ranks, where that is not evenly and in one piece.

import type { ModelFile } from "../schema_model.ts";
import type { DegreesResult, Say } from "./degrees_result.ts";
import type { Layout } from "./note.ts";

export function layersOverRanks(
  layout: Layout,
  model: ModelFile | undefined,
  say: Say,
): DegreesResult["more"] {
  const { pipeline = 1, virtualStages, layersPerChunk } = layout;
  // More ranks than a plan takes are refused by its schema.
  if (model === undefined || pipeline === 1 || pipeline > 10_000) return {};
  if (layout.layersOfChunks !== undefined) {
    return ofChunks(layout.layersOfChunks, "layersOfChunks", model, pipeline, say);
  }
  const chunks = virtualStages ?? (layersPerChunk && model.layers / pipeline / layersPerChunk);
  if (layout.embeddingInSplit === true || layout.lossInSplit === true) {
    return withEnds(layout, model, pipeline, virtualStages ?? 1, say);
  }
  const layersPerStage = unevenStages(layout, model.layers, pipeline);
  if (layersPerStage?.some((layers) => !Number.isInteger(layers) || layers < 1) === true) {
    say(
      "error",
      "degrees-contradict",
      layout.firstStageLayers === undefined ? "lastStageLayers" : "firstStageLayers",
      `${model.layers} layers do not divide among ${pipeline} pipeline ranks: ${layersPerStage.slice(0, 8).join(", ")}`,
      "mend the layers of the first and the last rank",
    );
    return {};
  }
  if (chunks !== undefined && !Number.isInteger(chunks)) {
    say(
      "error",
      "degrees-contradict",
      "layersPerChunk",
      `${model.layers} layers on ${pipeline} pipeline ranks do not come in chunks of ${layersPerChunk}`,
      `choose a divisor of ${Math.floor(model.layers / pipeline)}`,
    );
    return {};
  }
  return {
    ...(layersPerStage === undefined ? {} : { layersPerStage }),
    ...(chunks === undefined || chunks === 1 ? {} : { virtualStages: chunks }),
  };
}

/** With the embedding and the loss as layers of their own, every chunk has as many. */
function withEnds(
  { embeddingInSplit = false, lossInSplit = false }: Layout,
  model: ModelFile,
  pipeline: number,
  virtualStages: number,
  say: Say,
): DegreesResult["more"] {
  const all = model.layers + Number(embeddingInSplit) + Number(lossInSplit);
  const chunks = pipeline * virtualStages;
  if (all % chunks !== 0) {
    const what = [
      `${model.layers} layers`,
      ...(embeddingInSplit ? ["the embedding"] : []),
      ...(lossInSplit ? ["the loss"] : []),
    ].join(" and ");
    say(
      "error",
      "degrees-contradict",
      embeddingInSplit ? "embeddingInSplit" : "lossInSplit",
      `${what} are ${all} in the split, which ${chunks} chunks do not divide`,
      "choose another pipeline degree, or give the layers of the first and the last rank",
    );
    return {};
  }
  const counts = Array.from({ length: chunks }, (_, chunk) => {
    const ends =
      (chunk === 0 && embeddingInSplit ? 1 : 0) + (chunk === chunks - 1 && lossInSplit ? 1 : 0);
    return all / chunks - ends;
  });
  return ofChunks(
    counts,
    embeddingInSplit ? "embeddingInSplit" : "lossInSplit",
    model,
    pipeline,
    say,
  );
}

/** A plan has as many layers in each chunk of a rank; where a source has not, the ranks are as the source has them. */
function ofChunks(
  counts: readonly number[],
  key: keyof Layout,
  model: ModelFile,
  pipeline: number,
  say: Say,
): DegreesResult["more"] {
  const sum = counts.reduce((all, count) => all + count, 0);
  if (counts.length % pipeline !== 0 || sum !== model.layers) {
    say(
      "error",
      "degrees-contradict",
      key,
      `the pipeline's layout has ${counts.length} chunks with ${sum} layers; ${pipeline} ranks and ${model.layers} layers are given`,
      "mend the layout, or the degree and the layers",
    );
    return {};
  }
  const virtualStages = counts.length / pipeline;
  const ofRank = (rank: number) => counts.filter((_, chunk) => chunk % pipeline === rank);
  const ranks = Array.from({ length: pipeline }, (_, rank) => ofRank(rank));
  const layersPerStage = ranks.map((own) => own.reduce((all, count) => all + count, 0));
  const isEven = ranks.every((own) => own.every((count) => count === own[0]));
  if (!isEven) {
    say(
      "warning",
      "uneven-chunks-not-expressible",
      key,
      `ranks have ${virtualStages} chunks of unlike sizes, which a plan cannot have: each rank's layers are one chunk`,
      "read the bubble as that of a pipeline without interleaving",
    );
  }
  const isPlain = layersPerStage.every((count) => count * pipeline === model.layers);
  return {
    ...(isPlain ? {} : { layersPerStage }),
    ...(isEven && virtualStages > 1 ? { virtualStages } : {}),
  };
}

function unevenStages(
  { firstStageLayers: first, lastStageLayers: last, unevenPipeline }: Layout,
  layers: number,
  pipeline: number,
): number[] | undefined {
  if (first !== undefined || last !== undefined) {
    const others = pipeline - (first === undefined ? 0 : 1) - (last === undefined ? 0 : 1);
    const left = layers - (first ?? 0) - (last ?? 0);
    const inner = Array.from({ length: others }, () => left / others);
    return [
      ...(first === undefined ? [] : [first]),
      ...inner,
      ...(last === undefined ? [] : [last]),
    ];
  }
  const rest = layers % pipeline;
  if (unevenPipeline !== true || rest === 0 || layers < pipeline) return undefined;
  const base = Math.floor(layers / pipeline);
  const firstOfMore = pipeline - 1 - rest;
  return Array.from({ length: pipeline }, (_, p) =>
    p >= firstOfMore && p < pipeline - 1 ? base + 1 : base,
  );
}
