// What lowering a layer works with.

import type { EmbeddingLayer, Workload } from "../../plan/plan.ts";
import type { Builder } from "../builder.ts";
import type { RegionContent } from "../content.ts";
import type { Origin } from "../program.ts";
import type { Share, Value } from "../value.ts";

export interface LayerContext {
  readonly builder: Builder;
  readonly workload: Workload;
  readonly origin: Origin;
  /** Name of a buffer of the layer: the same object for each part, as thousands of ranks look it up. */
  readonly idOf: (part: string) => string;
  /** Products that are communicated next are put off, to be computed and communicated in blocks of rows. */
  readonly overlap: boolean;
  /** The plan's embedding, whose table a tied head multiplies with. */
  readonly embedding?: { readonly name: string; readonly layer: EmbeddingLayer };
  /** Ranks that share each sequence; more than 1 only in programs that are counted and not run. */
  readonly contextRanks: number;
  /** What the layer's last product adds before it is stored: replicated, on the layer's groups. */
  readonly skipped?: Value;
}

/** Names of the buffers of a layer. */
export const idsOf = ({ layer }: Origin): LayerContext["idOf"] => {
  const ids = new Map<string, string>();
  return (part) => {
    const id = ids.get(part) ?? `${layer}/${part}`;
    ids.set(part, id);
    return id;
  };
};

/** A weight's standard range: uniform with variance 1 / fan-in, so that activations keep their size. */
export const weightScale = (fanIn: number): number => Math.sqrt(3 / fanIn);

/** Declares a rectangle of the global weight `[in, out]` of this layer on one rank. */
export const declareWeight = (
  { builder, origin, idOf }: LayerContext,
  rank: number,
  part: string,
  region: Omit<RegionContent & { kind: "uniform" }, "kind" | "tensor" | "center">,
): string => {
  const tensor = idOf(part);
  return builder.declare(rank, {
    id: tensor,
    layer: origin.layer,
    role: "weight",
    shape: region.size,
    content: { kind: "uniform", tensor, center: 0, ...region },
  });
};

/** Declares a norm's gain or bias, uniform around `center`. */
export const declareVector = (
  { builder, origin, idOf }: LayerContext,
  rank: number,
  part: string,
  size: number,
  center: number,
): string => {
  const tensor = idOf(part);
  return builder.declare(rank, {
    id: tensor,
    layer: origin.layer,
    role: "weight",
    shape: [size],
    content: {
      kind: "uniform",
      tensor,
      center,
      scale: 0.1,
      shape: [size],
      offset: [0],
      size: [size],
    },
  });
};

/** Declares an activation of this layer on one rank. */
export const declareActivation = (
  { builder, origin, idOf }: LayerContext,
  rank: number,
  part: string,
  rows: number,
  columns: number,
): string =>
  builder.declare(rank, {
    id: idOf(part),
    layer: origin.layer,
    role: "activation",
    shape: [rows, columns],
  });

/** A value of this layer with one share per share of `input`. */
export const outputValue = (
  { origin }: LayerContext,
  input: Value,
  columns: number,
  perShare: (share: Share) => Share,
): Value => ({ ...input, columns, origin, shares: input.shares.map(perShare) });
