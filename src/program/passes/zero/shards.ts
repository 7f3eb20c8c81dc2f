// ZeRO (Rajbhandari et al. 2020): of a weight that several ranks hold each rank keeps the rows that it moves. Stage 1 shares
// out the optimizer's state, stage 2 the gradients too, stage 3 the weights too (FSDP). Where several groups have all rows
// each (HSDP), they sum the gradients of the same rows.

import type { Op } from "../../op.ts";
import type { OpOrigin } from "../../program.ts";
import { elementsOn, nameOn, partOn, type Tensor, type TensorPart, whole } from "../../tensor.ts";
import type { CollectiveOp } from "../../transfer_op.ts";
import { type Copies, keyOf } from "../differentiate/copies_of_weights.ts";
import { sharedColumns } from "../differentiate/shared_columns.ts";
import { channel, type WeightUse } from "../differentiate/walk.ts";
import { siteOf } from "../update_site.ts";
import { ownRows } from "./own_rows.ts";
import { type Sharing, sharingsOf } from "./sharing.ts";

export interface ZeroOptions {
  readonly stage: 0 | 1 | 2 | 3;
  /** Groups that have each all rows. */
  readonly copies: number;
}

/** A part of a weight on one rank, and who shares it. */
export interface Shared {
  readonly sharing: Sharing;
  readonly use: WeightUse;
}

export interface Shards {
  readonly stage: ZeroOptions["stage"];
  readonly sharings: readonly Sharing[];
  readonly isSharded: (key: string) => boolean;
  /** Of all that have the same rows of a part of a weight, one: whether it is the rank. */
  readonly counts: (key: string, rank: number) => boolean;
  /** What ranks move of a use: the owners among them their rows, or all ranks the whole where it is not shared. */
  readonly own: (use: WeightUse) => WeightUse;
  /** The use of what is shared on one of the ranks that share it. */
  readonly useOn: (sharing: Sharing, rank: number) => WeightUse;
  /** By the name of a weight or of its gradient on a rank. */
  readonly sharedAs: (rank: number, name: string) => Shared | undefined;
}

/** @param uses each buffer once */
export function shardsOf(
  uses: readonly WeightUse[],
  copies: readonly Copies[],
  { stage, copies: groups }: ZeroOptions,
): Shards {
  const undivided = keptWhole(uses);
  const divided = copies.filter(({ key }) => !undivided.has(key));
  const sharings = stage === 0 ? [] : sharingsOf(uses, divided, groups, stage >= 2);
  const sharingAt = new Map(
    sharings.flatMap((each) => each.ranks.map((rank) => [`${rank} ${each.key}`, each] as const)),
  );
  const firstOf = new Map(sharings.toReversed().map((each) => [each.key, each]));
  const shared = uses.filter(({ weight, ranks }) => firstOf.has(keyOf(weight, ranks[0] ?? 0)));
  const byKey = new Map<string, WeightUse>();
  const byName = new Map<string, Shared>();
  const owned = new Map<WeightUse, WeightUse>();
  for (const use of shared) {
    const { weight, gradient, ranks } = use;
    const sharingOn = (rank: number): Sharing => {
      const found = sharingAt.get(`${rank} ${keyOf(weight, rank)}`);
      if (found === undefined) throw new Error(`${weight.name} is not shared on rank ${rank}`);
      return found;
    };
    for (const rank of ranks) {
      byKey.set(`${rank} ${keyOf(weight, rank)}`, use);
      for (const tensor of [weight, gradient]) {
        byName.set(`${rank} ${nameOn(tensor, rank)}`, { sharing: sharingOn(rank), use });
      }
    }
    const owners = ranks.filter((rank) => sharingOn(rank).owners.includes(rank));
    const rows = ownRows(weight, owners, sharingOn);
    owned.set(use, {
      ...use,
      ranks: owners,
      // Beside the whole weight, or all that the rank has of it.
      weight: stage === 3 ? rows : { ...rows, role: "optimizer" },
      gradient: ownRows(use.gradient, owners, sharingOn),
    });
  }
  return {
    stage,
    sharings,
    isSharded: (key) => firstOf.has(key),
    counts: (key, rank) => firstOf.get(key)?.owners.includes(rank) === true,
    own: (use) => owned.get(use) ?? use,
    useOn({ key }, rank) {
      const use = byKey.get(`${rank} ${key}`);
      if (use === undefined) throw new Error(`rank ${rank} does not move ${key}`);
      return use;
    },
    sharedAs: (rank, name) => byName.get(`${rank} ${name}`),
  };
}

/** Vectors whose elements tensor ranks share in part: rows of a matrix have all columns, of a vector they have some. */
function keptWhole(uses: readonly WeightUse[]): ReadonlySet<string> {
  return new Set(
    uses.flatMap((use) => {
      const { weight, ranks } = use;
      const [, inner] = partOn(weight, ranks[0] ?? 0)?.shape ?? [];
      if (inner !== undefined || sharedColumns(use) === undefined) return [];
      return ranks.map((rank) => keyOf(weight, rank));
    }),
  );
}

/** One tensor of ranks each of which may call it otherwise. */
export function joinedOver(
  { useOn }: Shards,
  sharing: Sharing,
  ranks: readonly number[],
  of: (use: WeightUse) => Tensor,
): Tensor {
  const held = ranks.map((rank): TensorPart => {
    const tensor = of(useOn(sharing, rank));
    return { shape: [], ...partOn(tensor, rank), name: nameOn(tensor, rank) };
  });
  const [first = 0] = ranks;
  return { ...of(useOn(sharing, first)), parts: { ranks, held } };
}

/** What stands at the layer whose weight it is. */
interface Site {
  readonly origin: OpOrigin;
  readonly place: string;
}

/** @param x on all ranks that share it @param y on the owners */
export function reduceScatter(
  { ranks, owners }: Sharing,
  site: Site,
  x: Tensor,
  y: Tensor,
): CollectiveOp {
  return {
    op: "collective",
    ...site,
    ranks,
    ...channel(`${x.name}/reduce-scatter ${ranks.join()}`),
    from: ranks,
    to: owners,
    amount: { kind: "reduce-scatter", counts: owners.map((rank) => elementsOn(y, rank)) },
    x: whole(x),
    y: whole(y),
  };
}

/** @param x on the owners @param y on all ranks that share it */
export function allGather(
  { ranks, owners }: Sharing,
  site: Site,
  x: Tensor,
  y: Tensor,
): CollectiveOp {
  return {
    op: "collective",
    ...site,
    ranks,
    ...channel(`${y.name}/all-gather ${ranks.join()}`),
    from: owners,
    to: ranks,
    amount: { kind: "all-gather", counts: owners.map((rank) => elementsOn(x, rank)) },
    x: whole(x),
    y: whole(y),
  };
}

/** Gradients of all micro-batches, to the ranks whose rows they are of (stage 1). */
export function scatteredOnce(shards: Shards): Op[] {
  const { sharings, useOn, own } = shards;
  return sharings.map((sharing): Op => {
    const { ranks, owners } = sharing;
    const x = joinedOver(shards, sharing, ranks, ({ gradient }) => gradient);
    const y = joinedOver(shards, sharing, owners, (use) => own(use).gradient);
    return reduceScatter(sharing, siteOf(useOn(sharing, ranks[0] ?? 0)), x, y);
  });
}

/** Gradients of the same rows, over the groups that have them. */
export function summedOverCopies(shards: Shards): Op[] {
  const { sharings, useOn, own } = shards;
  return sharings.flatMap((sharing) =>
    (sharing.peers ?? []).flatMap((ranks, i): Op[] => {
      // Each of the groups has the same peers.
      if (ranks[0] !== sharing.owners[i]) return [];
      const x = joinedOver(shards, sharing, ranks, (use) => own(use).gradient);
      return [
        {
          op: "collective",
          ...siteOf(useOn(sharing, ranks[0] ?? 0)),
          ranks,
          ...channel(`${x.name}/sum over copies ${ranks.join()}`),
          from: ranks,
          to: ranks,
          amount: { kind: "all-reduce", count: elementsOn(x, ranks[0] ?? 0) },
          x: whole(x),
          y: whole(x),
        },
      ];
    }),
  );
}

/** Whole gradients to 0, which nothing else clears (stage 1). */
export function cleared({ sharedAs }: Shards, uses: readonly WeightUse[]): Op[] {
  return uses.flatMap((use): Op[] => {
    const { ranks, gradient } = use;
    const [first = 0] = ranks;
    if (sharedAs(first, nameOn(gradient, first)) === undefined) return [];
    return [{ op: "clear", ...siteOf(use), ranks, y: gradient }];
  });
}

/** Moved rows, to all that hold the weight (stages 1 and 2). */
export function gatheredOnce(shards: Shards): Op[] {
  const { sharings, useOn, own } = shards;
  return sharings.map((sharing): Op => {
    const { ranks, owners } = sharing;
    const x = joinedOver(shards, sharing, owners, (use) => own(use).weight);
    const y = joinedOver(shards, sharing, ranks, ({ weight }) => weight);
    return allGather(sharing, siteOf(useOn(sharing, ranks[0] ?? 0)), x, y);
  });
}
