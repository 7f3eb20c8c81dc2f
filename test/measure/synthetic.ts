// Small programs and traces, written by hand.

import type { Instruction, Origin, Program } from "../../src/program/program.ts";
import type { RankTrace, Span, SpanKind, StepTrace } from "../../src/program/trace.ts";

export function span(kind: SpanKind, startMs: number, endMs: number, instruction?: number): Span {
  return { kind, startMs, endMs, ...(instruction === undefined ? {} : { instruction }) };
}

export function rankTrace(
  rank: number,
  spans: readonly Span[],
  more: Partial<RankTrace> = {},
): RankTrace {
  return {
    rank,
    startMs: 0,
    endMs: Math.max(0, ...spans.map(({ endMs }) => endMs)),
    spans,
    expertTokens: {},
    droppedTokens: {},
    ...more,
  };
}

export function stepTrace(ranks: readonly RankTrace[], step = 0): StepTrace {
  return {
    step,
    provenance: "measured",
    wallMs: Math.max(...ranks.map(({ endMs }) => endMs)),
    ranks,
  };
}

/** An instruction that does nothing but come from somewhere. */
export function instructionOf(layer: string, microBatch = 0): Instruction {
  const origin: Origin = { stage: "s", layer, microBatch, phase: "forward" };
  return {
    op: "copy",
    origin,
    source: "a",
    sourceOffset: 0,
    target: "b",
    targetOffset: 0,
    bytes: 4,
  };
}

export function programOf(
  layers: readonly string[],
  instructions: readonly (readonly Instruction[])[],
  more: Partial<Program> = {},
): Program {
  return {
    name: "synthetic",
    dtype: "f32",
    seed: 1,
    ranks: instructions.map((own, rank) => ({ rank, buffers: [], instructions: own })),
    batch: 4,
    tokens: 4,
    microBatches: 1,
    layers,
    output: { rows: 1, columns: 1 },
    ...more,
  };
}
