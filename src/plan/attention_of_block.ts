// The attention of one block of a model: what differs from block to block is its window, its chunk and its positions.

import type { AttentionLayer, QkNorm, QueryTemperature } from "./layers/attention.ts";
import type { LayerBase } from "./layers/layer.ts";
import { readRotary, type Rotary } from "./layers/rotary.ts";
import type { Model } from "./plan.ts";

/** @param block counted through the model */
export function attentionOfBlock(
  model: Model,
  block: number,
  epsilon: number,
): Omit<AttentionLayer, keyof LayerBase> {
  const { hidden, heads, kvHeads, headDim, causal, latent, slidingWindow, chunkedAttention } =
    model;
  const { sinks, attentionScale: scale, attentionSoftcap: softcap, positions } = model;
  const biases = biasesOf(model);
  const qkNorm = qkNormOf(model, block, epsilon);
  const isLocal = hasWindow(model, block);
  const rotary = rotaryOf(model, block, isLocal);
  const temperature = temperatureOf(model, block);
  const isSloped = positions?.kind === "alibi" && !isWithoutPositions(model, block);
  const isChunked = chunkedAttention?.layers.includes(block) === true;
  return {
    op: "attention",
    hidden,
    heads,
    kvHeads,
    headDim,
    causal,
    ...(biases.length === 0 ? {} : { biases }),
    ...(qkNorm === undefined ? {} : { qkNorm }),
    ...(rotary === undefined ? {} : { rotary }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(isSloped ? { alibi: true } : {}),
    ...(isLocal && slidingWindow !== undefined ? { window: slidingWindow.tokens } : {}),
    ...(isChunked ? { chunk: chunkedAttention.tokens } : {}),
    ...(scale === undefined ? {} : { scale }),
    ...(softcap === undefined ? {} : { softcap }),
    ...(sinks === true ? { sinks } : {}),
    ...(latent === undefined ? {} : { latent }),
    ...(model.attentionOutputGate === true ? { outputGate: true } : {}),
  };
}

function biasesOf({ biases = [] }: Model): ("qkv" | "output")[] {
  return [
    ...(biases.includes("qkv") ? (["qkv"] as const) : []),
    ...(biases.includes("attention-output") ? (["output"] as const) : []),
  ];
}

function qkNormOf(model: Model, block: number, epsilon: number): QkNorm | undefined {
  const { qkNorm } = model;
  if (qkNorm === undefined || qkNorm === false) return undefined;
  if (qkNorm === "l2" && isWithoutPositions(model, block)) return undefined;
  const kind = qkNorm === true ? "head" : qkNorm === "l2" ? "unweighted" : qkNorm;
  return { kind, epsilon };
}

function hasWindow({ slidingWindow }: Model, block: number): boolean {
  if (slidingWindow === undefined) return false;
  const { layers } = slidingWindow;
  return typeof layers === "number" ? block < layers : layers.includes(block);
}

function isWithoutPositions({ positions }: Model, block: number): boolean {
  return positions?.layersWithout?.includes(block) === true;
}

function temperatureOf(model: Model, block: number): QueryTemperature | undefined {
  if (model.attentionTemperature === undefined) return undefined;
  const { layers, ...temperature } = model.attentionTemperature;
  if (layers === "without-positions" && !isWithoutPositions(model, block)) return undefined;
  return { offset: 0, ...temperature };
}

function rotaryOf(model: Model, block: number, isLocal: boolean): Rotary | undefined {
  const { positions, headDim, latent } = model;
  if (positions?.kind !== "rotary" || isWithoutPositions(model, block)) return undefined;
  const {
    kind: _,
    count: _rows,
    offset: _first,
    layersWithout: _layers,
    localBase,
    ...own
  } = positions;
  const rotary = readRotary(own, latent?.rotaryDim ?? headDim);
  if (!isLocal || localBase === undefined) return rotary;
  const { scaling: _scaling, ...plain } = rotary;
  return { ...plain, base: localBase };
}
