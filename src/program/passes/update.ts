// What a step does once, after all micro-batches: sums gradients over the ranks that hold the same weights, finds the norm
// of all of them, and moves the weights.

import { updateState } from "../../kernels/begin_update.ts";
import { squareSums } from "../../kernels/sum_squares.ts";
import type { Optimizer } from "../../plan/optimizer.ts";
import type { Precision } from "../../plan/plan.ts";
import type { Op } from "../op.ts";
import type { BufferRole, OpOrigin } from "../program.ts";
import {
  elementsOn,
  nameOn,
  partOn,
  sameOn,
  type Tensor,
  type TensorPart,
  whole,
} from "../tensor.ts";
import { type Copies, copiesOfWeights, keyOf } from "./differentiate/copies_of_weights.ts";
import { type SharedColumns, sharedColumns } from "./differentiate/shared_columns.ts";
import { channel, type WeightUse } from "./differentiate/walk.ts";
import { sumSharedColumns } from "./sum_shared_columns.ts";
import { siteOf } from "./update_site.ts";
import {
  cleared,
  gatheredOnce,
  scatteredOnce,
  type Shards,
  shardsOf,
  summedOverCopies,
  type ZeroOptions,
} from "./zero/shards.ts";

export interface UpdateOptions {
  readonly rules: Optimizer;
  readonly dtype: Precision;
  /** What ranks with the same weights share out. */
  readonly zero: ZeroOptions;
}

export interface Update {
  readonly once: Op[];
  readonly shards: Shards;
}

export function update(uses: readonly WeightUse[], { rules, dtype, zero }: UpdateOptions): Update {
  const [first] = uses;
  const own = onceEach(uses);
  const copies = copiesOfWeights(uses);
  const shards = shardsOf(own, copies, zero);
  if (first === undefined) return { once: [], shards };
  const ranks = [...new Set(own.flatMap((use) => use.ranks))].toSorted((a, b) => a - b);
  const origin: OpOrigin = { ...first.site.origin, phase: "update" };
  const site = { origin, place: first.site.place };
  const sum = sharedBy(ranks, "gradients/squares", squareSums, origin.layer);
  const state = sharedBy(ranks, "optimizer/state", updateState.length, origin.layer);
  const squares =
    ranks.length === 1 ? [] : [inPlaceSum(site, sum, ranks, ranks, squareSums, "squares")];
  const unshared = copies.filter(({ key }) => !shards.isSharded(key));
  const all = own.flatMap((use) => {
    const moves = shards.own(use);
    return moves.ranks.length === 0 ? [] : [moves];
  });
  const shared = all.flatMap((use) => sharedColumns(use) ?? []);
  const once: Op[] = [
    ...unshared.flatMap((each) => summed(each, own)),
    ...(zero.stage === 1 ? scatteredOnce(shards) : []),
    ...summedOverCopies(shards),
    ...shared.flatMap(sumSharedColumns),
    ...all.map(shown),
    ...own.flatMap((use): Op[] => {
      const owners = use.ranks.filter((rank) => isOwner(copies, shards, use, rank));
      return squaresOf(shards.own(use), owners, sum, shared);
    }),
    ...squares,
    { op: "begin-update", ...site, ranks, sum, state, rules },
    {
      op: "observe",
      ...site,
      ranks,
      x: whole(state),
      shown: ranks.map((_, copy) => ({ kind: "update", copy })),
    },
    ...all.map((use) => moved(use, state, { rules, dtype })),
    ...(zero.stage === 1 ? cleared(shards, own) : []),
    ...(zero.stage < 3 ? gatheredOnce(shards) : []),
  ];
  return { once, shards };
}

/** Of a buffer that several ops add to the first use alone. */
function onceEach(uses: readonly WeightUse[]): WeightUse[] {
  const seen = new Set<string>();
  return uses.flatMap((use) => {
    const ranks = use.ranks.filter((rank) => {
      const key = `${rank} ${nameOn(use.gradient, rank)}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
    return ranks.length === 0 ? [] : [{ ...use, ranks }];
  });
}

function sharedBy(ranks: readonly number[], name: string, words: number, layer: string): Tensor {
  return {
    name,
    layer,
    role: "optimizer",
    dtype: "f32",
    parts: sameOn(ranks, { shape: [words] }),
  };
}

/** Summands of one weight's gradient, on all ranks that hold it, each of which may call it otherwise. */
function summed({ key, sums }: Copies, uses: readonly WeightUse[]): Op[] {
  const useOn = (rank: number): WeightUse => {
    const found = uses.find(
      (each) => each.ranks.includes(rank) && keyOf(each.weight, rank) === key,
    );
    if (found === undefined) throw new Error(`rank ${rank} has no gradient of ${key}`);
    return found;
  };
  return sums.map(({ from, to }): Op => {
    const ranks = [...new Set([...from, ...to])];
    const own = useOn(from[0] ?? 0);
    const held = ranks.map((rank) => {
      const { gradient } = useOn(rank);
      return { shape: partOn(gradient, rank)?.shape ?? [], name: nameOn(gradient, rank) };
    });
    const tensor: Tensor = { ...own.gradient, parts: { ranks, held } };
    const count = elementsOn(tensor, ranks[0] ?? 0);
    return inPlaceSum(siteOf(own), tensor, from, to, count, tensor.name);
  });
}

function inPlaceSum(
  site: { readonly origin: OpOrigin; readonly place: string },
  tensor: Tensor,
  from: readonly number[],
  to: readonly number[],
  count: number,
  name: string,
): Op {
  return {
    op: "collective",
    ...site,
    ranks: [...new Set([...from, ...to])],
    ...channel(`${name}/sum ${from.join()}`),
    from,
    to,
    amount: { kind: "all-reduce", count },
    x: whole(tensor),
    y: whole(tensor),
  };
}

function shown(use: WeightUse): Op {
  const { ranks, weight, gradient } = use;
  return {
    op: "observe",
    ...siteOf(use),
    ranks,
    x: whole(gradient),
    shown: ranks.map((rank) => {
      const { content, shape } = partOn(weight, rank) ?? { shape: [] };
      if (content === undefined) throw new Error(`${weight.name}: a weight without content`);
      return { kind: "gradient", content, shape };
    }),
  };
}

/** Whether of all ranks with the same part of a weight, or of its gradient, this one counts it. */
function isOwner(
  copies: readonly Copies[],
  { isSharded, counts }: Shards,
  { weight }: WeightUse,
  rank: number,
): boolean {
  const key = keyOf(weight, rank);
  if (isSharded(key)) return counts(key, rank);
  return copies.find((each) => each.key === key)?.ranks[0] === rank;
}

/** Of columns that owners share, on the first of them. */
function squaresOf(
  use: WeightUse,
  owners: readonly number[],
  sum: Tensor,
  shared: readonly SharedColumns[],
): Op[] {
  const { sharers = [], first = 0 } = shared.find((each) => each.use === use) ?? {};
  const [others, firsts] = [
    owners.filter((rank) => sharers.some((own) => own.indexOf(rank) > 0)),
    owners.filter((rank) => !sharers.some((own) => own.indexOf(rank) > 0)),
  ];
  const own = { op: "sum-squares", ...siteOf(use), x: use.gradient, sum } as const;
  return [
    ...(firsts.length === 0 ? [] : [{ ...own, ranks: firsts }]),
    ...(others.length === 0 ? [] : [{ ...own, ranks: others, columns: first }]),
  ];
}

function moved(use: WeightUse, state: Tensor, { rules, dtype }: Omit<UpdateOptions, "zero">): Op {
  const { weight, gradient, ranks } = use;
  const isStoredShort = (weight.dtype ?? dtype) === "f16";
  const hasFirst = rules.name === "adamw" || rules.momentum > 0;
  const kept = (what: string, content: boolean): Tensor => besideWeight(weight, what, content);
  return {
    op: "update-weight",
    ...siteOf(use),
    ranks,
    state,
    gradient,
    weight,
    ...(isStoredShort ? { master: kept("master", true) } : {}),
    ...(hasFirst ? { first: kept("first", false) } : {}),
    ...(rules.name === "adamw" ? { second: kept("second", false) } : {}),
    rules,
    decays: isMatrix(partOn(weight, ranks[0] ?? 0)),
  };
}

/** Of the whole weight: a rank may have one row of it. Biases of experts are vectors, one below the other. */
function isMatrix(part: TensorPart | undefined): boolean {
  const content = part?.content;
  const { shape = [] } = (content?.kind === "beside" ? content.parts[0] : content) ?? {};
  const [, rows = 0] = shape;
  return shape.length === 3 ? rows > 1 : shape.length > 1;
}

/** f32, as large as the weight. */
function besideWeight(weight: Tensor, what: string, hasContent: boolean): Tensor {
  const role: BufferRole = "optimizer";
  const { parts, layer, name } = weight;
  return {
    name: `${name}/${what}`,
    layer,
    role,
    dtype: "f32",
    parts: {
      ranks: parts.ranks,
      held: parts.held.map(({ shape, content, name: own }) => ({
        shape,
        ...(own === undefined ? {} : { name: `${own}/${what}` }),
        ...(hasContent && content !== undefined ? { content } : {}),
      })),
    },
  };
}
