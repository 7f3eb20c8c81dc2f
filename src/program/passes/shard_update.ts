// ZeRO stage 1 (Rajbhandari et al. 2020): of a weight that several ranks hold each rank keeps the optimizer's state of some
// rows. Gradients come to their rows' rank as sums, and the rows that it has moved go to all others.

import type { Content, RegionContent } from "../content.ts";
import { partsOf } from "../content_values.ts";
import type { Op } from "../op.ts";
import {
  elementsOn,
  nameOn,
  partOn,
  splitEvenly,
  startsOf,
  type Tensor,
  type TensorPart,
  whole,
} from "../tensor.ts";
import { type Copies, keyOf } from "./differentiate/copies_of_weights.ts";
import { channel, type WeightUse } from "./differentiate/walk.ts";
import { siteOf } from "./update_site.ts";

/** Ranks that share out one part of a weight, in order. */
interface Sharing {
  readonly key: string;
  readonly ranks: readonly number[];
  /** Of each rank along the first axis. */
  readonly extents: readonly number[];
}

export interface ShardedUpdates {
  /** What a rank moves of a use: its own rows of weight and gradient, or the whole where it shares nothing. */
  readonly own: (use: WeightUse) => WeightUse;
  readonly isSharded: (key: string) => boolean;
  /** Sums of gradients, to the rank whose rows they are of. */
  readonly reduceScatters: () => Op[];
  /** Gradients to 0, and moved rows to all that hold the weight. */
  readonly gathers: () => Op[];
}

/** @param uses each buffer once */
export function shardUpdates(
  uses: readonly WeightUse[],
  copies: readonly Copies[],
): ShardedUpdates {
  const sharings = sharingsOf(uses, copies);
  const sharingAt = new Map(
    sharings.flatMap((each) => each.ranks.map((rank) => [`${rank} ${each.key}`, each] as const)),
  );
  const sharingOf = (weight: Tensor, rank: number): Sharing | undefined =>
    sharingAt.get(`${rank} ${keyOf(weight, rank)}`);
  const keys = new Set(sharings.map(({ key }) => key));
  const sharded = uses.filter(({ weight, ranks }) => keys.has(keyOf(weight, ranks[0] ?? 0)));
  const owned = new Map(sharded.map((use) => [use, ownRows(use, sharingOf)]));
  const useOf = findUses(sharded);
  const ownOf = (use: WeightUse): WeightUse => owned.get(use) ?? use;
  /** One tensor of all ranks that share, each of which may call it otherwise. */
  const joined = (sharing: Sharing, of: (use: WeightUse) => Tensor): Tensor => {
    const { ranks } = sharing;
    const held = ranks.map((rank): TensorPart => {
      const tensor = of(useOf(sharing, rank));
      return { shape: partOn(tensor, rank)?.shape ?? [], name: nameOn(tensor, rank) };
    });
    return { ...of(useOf(sharing, ranks[0] ?? 0)), parts: { ranks, held } };
  };
  const transfer = (
    sharing: Sharing,
    kind: "reduce-scatter" | "all-gather",
    x: Tensor,
    y: Tensor,
  ): Op => {
    const { ranks } = sharing;
    const parts = kind === "all-gather" ? x : y;
    return {
      op: "collective",
      ...siteOf(useOf(sharing, ranks[0] ?? 0)),
      ranks,
      ...channel(`${x.name}/${kind} ${ranks.join()}`),
      from: ranks,
      to: ranks,
      amount: { kind, counts: ranks.map((rank) => elementsOn(parts, rank)) },
      x: whole(x),
      y: whole(y),
    };
  };
  return {
    own: ownOf,
    isSharded: (key) => keys.has(key),
    reduceScatters: () =>
      sharings.map((sharing) =>
        transfer(
          sharing,
          "reduce-scatter",
          joined(sharing, ({ gradient }) => gradient),
          joined(sharing, (use) => ownOf(use).gradient),
        ),
      ),
    gathers: () => [
      ...sharded.map((use): Op => ({
        op: "clear",
        ...siteOf(use),
        ranks: use.ranks,
        y: use.gradient,
      })),
      ...sharings.map((sharing) =>
        transfer(
          sharing,
          "all-gather",
          joined(sharing, (use) => ownOf(use).weight),
          joined(sharing, ({ weight }) => weight),
        ),
      ),
    ],
  };
}

/** The use of what is shared on one of the ranks that share it. */
function findUses(sharded: readonly WeightUse[]): (sharing: Sharing, rank: number) => WeightUse {
  const found = new Map(
    sharded.flatMap((use) =>
      use.ranks.map((rank) => [`${rank} ${keyOf(use.weight, rank)}`, use] as const),
    ),
  );
  return ({ key }, rank) => {
    const use = found.get(`${rank} ${key}`);
    if (use === undefined) throw new Error(`rank ${rank} does not move ${key}`);
    return use;
  };
}

/** A use is shared out whole or not at all, and so is whatever shares a part of a weight with it. */
function sharingsOf(uses: readonly WeightUse[], copies: readonly Copies[]): Sharing[] {
  const shapes = new Map<string, TensorPart>();
  for (const { weight, ranks } of uses) {
    for (const rank of ranks) {
      const part = partOn(weight, rank);
      if (part !== undefined) shapes.set(keyOf(weight, rank), part);
    }
  }
  let found = copies.flatMap(({ key, sums }): Sharing[][] => {
    const part = shapes.get(key);
    const own = sums.map(({ from, to }) => {
      const extents = part === undefined ? undefined : extentsOf(part, to.length);
      return from.join() === to.join() && extents !== undefined
        ? [{ key, ranks: to, extents }]
        : [];
    });
    return own.length > 0 && own.every((each) => each.length > 0) ? [own.flat()] : [];
  });
  for (;;) {
    const keys = new Set(found.flatMap((own) => own.map(({ key }) => key)));
    const broken = new Set(
      uses.flatMap(({ weight, ranks }) => {
        const own = ranks.map((rank) => keyOf(weight, rank));
        return own.every((key) => keys.has(key)) ? [] : own;
      }),
    );
    const kept = found.filter((own) => own.every(({ key }) => !broken.has(key)));
    if (kept.length === found.length) return found.flat();
    found = kept;
  }
}

/** Along the first axis, in quads of a vector; undefined where there is not enough of it for all, or it is no one range. */
function extentsOf({ shape, content }: TensorPart, size: number): number[] | undefined {
  const [extent = 0] = shape;
  const unit = shape.length === 1 ? 4 : 1;
  const regions = content === undefined ? [] : partsOf(content);
  const isRange =
    regions.every((region) => region.size[0] === extent) &&
    (shape.length > 1 || regions.length === 1);
  if (!isRange || extent % unit > 0 || extent / unit < size) return undefined;
  return splitEvenly(extent, size, unit);
}

function ownRows(
  use: WeightUse,
  sharingOf: (weight: Tensor, rank: number) => Sharing | undefined,
): WeightUse {
  const { weight, ranks } = use;
  const slice = (tensor: Tensor, rank: number): TensorPart => {
    const sharing = sharingOf(weight, rank);
    const part = partOn(tensor, rank);
    if (sharing === undefined || part === undefined) throw new Error(`${tensor.name}: not shared`);
    const at = sharing.ranks.indexOf(rank);
    const rows = { first: startsOf(sharing.extents)[at] ?? 0, extent: sharing.extents[at] ?? 0 };
    return slicePart(part, rows, `${nameOn(tensor, rank)}/own`);
  };
  const sliced = (tensor: Tensor): Tensor => ({
    ...tensor,
    name: `${tensor.name}/own`,
    parts: { ranks, held: ranks.map((rank) => slice(tensor, rank)) },
  });
  return {
    ...use,
    weight: { ...sliced(weight), role: "optimizer" },
    gradient: sliced(use.gradient),
  };
}

function slicePart(
  { shape, content }: TensorPart,
  { first, extent }: { readonly first: number; readonly extent: number },
  name: string,
): TensorPart {
  const ofRegion = <Region extends RegionContent>(region: Region): Region => {
    const [start = 0, ...offset] = region.offset;
    const [, ...size] = region.size;
    return { ...region, offset: [start + first, ...offset], size: [extent, ...size] };
  };
  const own: Content | undefined =
    content?.kind === "beside"
      ? { kind: "beside", parts: content.parts.map((part) => ofRegion(part)) }
      : content && ofRegion(content);
  return {
    shape: [extent, ...shape.slice(1)],
    name,
    ...(own === undefined ? {} : { content: own }),
  };
}
