// What the ops of a layer are made with.

import type { DType } from "../../kernels/storage.ts";
import type { EmbeddingLayer } from "../../plan/layers/embedding.ts";
import type { Workload } from "../../plan/plan.ts";
import type { RegionContent } from "../content.ts";
import type { NewOp } from "../op.ts";
import type { OpOrigin } from "../program.ts";
import type { RowOrder } from "../row_order.ts";
import type { CacheUse } from "../serving/caches.ts";
import {
  membersOf,
  type TensorParts,
  partsOn,
  sameOn,
  shapesOn,
  type Shard,
  type ShardedTensor,
  type Tensor,
  type TensorPart,
} from "../tensor.ts";

export interface LayerContext {
  readonly workload: Workload;
  readonly origin: OpOrigin;
  readonly add: (op: NewOp) => void;
  /** Whether transfers between experts go beside their computing. */
  readonly overlap: boolean;
  /** The plan's embedding, whose table a tied head multiplies with. */
  readonly embedding?: { readonly name: string; readonly layer: EmbeddingLayer };
  /** Ranks that share each sequence. */
  readonly contextRanks: number;
  /** Of rows, where ranks share sequences. */
  readonly order?: RowOrder;
  /** What members of a group hold of each weight, by the group's size and the weight's name. */
  readonly weightParts: Map<string, readonly TensorPart[]>;
  /** Of a step of serving: how caches are used, and the tables of each group of ranks in the stage. */
  readonly cache?: CacheUse;
  readonly tables: Map<readonly number[], CacheTables>;
  /** Of several blocks of rows that are computed beside each other, the one that this is: 0, 1, … */
  readonly block?: number;
}

/** Of the requests of a group of ranks: tokens cached before and new ones, and the pages where they lie. */
export interface CacheTables {
  readonly spans: Tensor;
  readonly pages: Tensor;
}

/** A weight's standard range: uniform with variance 1 / fan-in, so that activations keep their size. */
export function weightScale(fanIn: number): number {
  return Math.sqrt(3 / fanIn);
}

/** Of a bias, uniform around 0. */
export const biasScale = 0.1;

export function blockName(name: string, block: number | undefined): string {
  return block === undefined ? name : `${name}/block${block}`;
}

/** A rectangle of a global weight: all but what every rectangle of it has in common. */
export type WeightRegion = Omit<RegionContent & { kind: "uniform" }, "kind" | "tensor" | "center">;

/**
 * The layer's weight `part`, of which each member of the group holds a rectangle: replicas of a size hold the same.
 */
export function weight(
  { origin, weightParts }: LayerContext,
  part: string,
  ranks: readonly number[],
  regionOf: (member: number) => WeightRegion,
): Tensor {
  const name = `${origin.layer}/${part}`;
  const key = `${ranks.length} ${name}`;
  const held =
    weightParts.get(key) ??
    partsOn(ranks, (member) => {
      const region = regionOf(member);
      return {
        shape: region.size,
        content: { kind: "uniform", tensor: name, center: 0, ...region },
      };
    }).held;
  weightParts.set(key, held);
  return { name, layer: origin.layer, role: "weight", parts: { ranks, held } };
}

/** A weight that one rank holds as nobody else does. */
export function ownWeight(
  { origin }: LayerContext,
  part: string,
  rank: number,
  region: WeightRegion,
): Tensor {
  const name = `${origin.layer}/${part}`;
  const content = { kind: "uniform", tensor: name, center: 0, ...region } as const;
  const parts = sameOn([rank], { shape: region.size, content });
  return { name, layer: origin.layer, role: "weight", parts };
}

/** Of a vector [all], uniform around `center`, those from `first` on. */
export function vectorRegion(
  tensor: string,
  all: number,
  first: number,
  own: number,
  center: number,
): RegionContent {
  return {
    kind: "uniform",
    tensor,
    center,
    scale: 0.1,
    shape: [all],
    offset: [first],
    size: [own],
  };
}

/** Of contents whose rows are those of a step. */
export function orderOf({ order }: LayerContext): Pick<RegionContent, "order"> {
  return order === undefined ? {} : { order };
}

/** A norm's gain or bias [size], uniform around `center`, whole on every rank. */
export function vector(
  { origin }: LayerContext,
  part: string,
  ranks: readonly number[],
  size: number,
  center: number,
): Tensor {
  const name = `${origin.layer}/${part}`;
  const content = vectorRegion(name, size, 0, size, center);
  const parts = sameOn(ranks, { shape: [size], content });
  return { name, layer: origin.layer, role: "weight", parts };
}

/** A vector [size], of which each of the ranks holds its own part. */
export function ownVector(
  { origin }: LayerContext,
  part: string,
  ranks: readonly number[],
  size: number,
  center: number,
): Tensor {
  const name = `${origin.layer}/${part}`;
  const own = size / ranks.length;
  const parts = partsOn(ranks, (member) => ({
    shape: [own],
    content: vectorRegion(name, size, member * own, own, center),
  }));
  return { name, layer: origin.layer, role: "weight", parts };
}

/** An activation of the layer, of that shape on every rank. */
export function activation(
  context: LayerContext,
  part: string,
  ranks: readonly number[],
  shape: readonly number[],
  dtype?: DType,
): Tensor {
  return activationTensor(context, part, sameOn(ranks, { shape }), dtype);
}

/** An activation of the layer. */
export function activationTensor(
  { origin, block }: LayerContext,
  part: string,
  parts: TensorParts,
  dtype?: DType,
): Tensor {
  return {
    name: blockName(`${origin.layer}/${part}`, block),
    layer: origin.layer,
    role: "activation",
    ...(dtype === undefined ? {} : { dtype }),
    parts,
  };
}

/** An activation [rows, columns] that lies as the shard does. */
export function activationLike(
  context: LayerContext,
  part: string,
  shard: Shard,
  columns: number,
): Tensor {
  const members = membersOf(shard);
  return activationTensor(
    context,
    part,
    shapesOn(shard.ranks, (member) => [members[member]?.rows ?? 0, columns]),
  );
}

/** A result of this layer with one shard per shard of `input`. */
export function perShard(
  { origin }: LayerContext,
  input: ShardedTensor,
  columns: number,
  shardOf: (shard: Shard, index: number) => Shard,
): ShardedTensor {
  return { ...input, columns, origin, shards: input.shards.map(shardOf) };
}
