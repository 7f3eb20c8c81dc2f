// What rules of gradients work with: the ops that they add, gradients found so far, and the weights that get one.

import { paddedElements } from "../../../kernels/storage.ts";
import type { CopyOp, Op } from "../../op.ts";
import type { OpOrigin } from "../../program.ts";
import type { Ring } from "../../ring_op.ts";
import { nameOn, partOn, type Tensor, type View, whole } from "../../tensor.ts";
import { type Book, gradientTensor, type Held, type Site, sum, type Summand } from "./book.ts";
import { NotDifferentiable } from "./not_differentiable.ts";
import type { RingStatistics } from "./ring.ts";
import type { OpPlacement } from "./placements.ts";

/** A weight that an op read on a group of ranks, and the gradient that each of them adds to. */
export interface WeightUse {
  readonly weight: Tensor;
  readonly gradient: Tensor;
  readonly ranks: readonly number[];
  /** Whether ranks that hold the same part of the weight have each a summand of its gradient, or each all of it. */
  readonly isPartial: boolean;
  readonly site: Site;
}

export interface Walk {
  readonly book: Book;
  readonly emit: (op: Op) => void;
  readonly siteOf: (op: Op) => Site;
  /** Whether its gradient leads to that of a weight. */
  readonly isWanted: (tensor: Tensor, rank: number) => boolean;
  readonly placementOf: (op: Op) => OpPlacement;
  readonly uses: WeightUse[];
  /** What an op read, as it still is in the backward pass: gathered rows, which the next layer overwrote, come again. */
  readonly asRead: (op: Op, tensor: Tensor) => Tensor;
  /** Gradients of values that attention read beside turned queries and keys, by a rank and what holds the values. */
  readonly valuesOf: Map<string, Tensor>;
  /** What is known of the peers of a ring whose gradients are found together. */
  readonly rings: Map<Ring, Map<number, RingStatistics>>;
  /** Sources that a gradient has been sent back to, each once. */
  readonly sent: Set<string>;
  /** The dispatch of gradients, by that of the forward pass whose rows came back. */
  readonly sentOnAs: Map<string, string>;
  /** How many rows of each expert were not dropped, by a rank and what holds its sorted rows. */
  readonly keptOf: Map<string, Tensor>;
  /** All that take rows of what a copy takes some rows of, in the order of the forward pass. */
  readonly rowsTaken: (op: CopyOp) => readonly CopyOp[];
}

/** Of a rank's tensor. */
export function rankKey({ name }: Tensor, rank: number): string {
  return `${rank} ${name}`;
}

export function backwardOrigins(): (origin: OpOrigin) => OpOrigin {
  const known = new Map<OpOrigin, OpOrigin>();
  return (origin) => {
    const backward = known.get(origin) ?? { ...origin, phase: "backward" };
    known.set(origin, backward);
    return backward;
  };
}

/**
 * The gradient's buffer on each rank that holds the weight: added to in every micro-batch.
 *
 * @param isPartial as of `WeightUse`; default: where ranks have each a part of the result
 */
export function useWeight(
  walk: Walk,
  op: Op,
  weight: Tensor,
  ranks = op.ranks,
  isPartial = addsInParts(walk, op, weight),
): Tensor {
  const gradient = weightGradient(weight);
  walk.uses.push({ weight, gradient, ranks, isPartial, site: walk.siteOf(op) });
  return gradient;
}

function addsInParts(walk: Walk, op: Op, weight: Tensor): boolean {
  const { of, result } = walk.placementOf(op);
  return of(weight) === "replicate" && result !== "replicate";
}

export function weightGradient(weight: Tensor): Tensor {
  const { parts, layer } = weight;
  return {
    name: `${weight.name}/gradient`,
    layer,
    role: "gradient",
    dtype: "f32",
    parts: {
      ranks: parts.ranks,
      held: parts.held.map(({ shape, name }) => ({
        shape,
        ...(name === undefined ? {} : { name: `${name}/gradient` }),
      })),
    },
  };
}

/** All rows of a tensor. @throws NotDifferentiable for some of them */
export function allOf({ tensor, window }: View, { origin }: Op): Tensor {
  if (window === undefined) return tensor;
  throw new NotDifferentiable(`${origin.layer}: rows of ${tensor.name}`);
}

/**
 * The whole gradient of a result, on every one of the ranks that hold it; undefined where nothing that counts reads it.
 */
export function settle(walk: Walk, op: Op, y: Tensor, ranks = op.ranks): Tensor | undefined {
  const held = walk.book.take(y, ranks);
  const known = held.filter(({ summands }) => summands.length > 0);
  const [first] = known;
  if (first === undefined) return undefined;
  const site = walk.siteOf(op);
  const parts = known.map((each) => ({
    ranks: each.ranks,
    tensor: summed(walk, site, y, each),
  }));
  const missing = held.flatMap((each) => (each.summands.length === 0 ? each.ranks : []));
  if (missing.length > 0) {
    const { result } = walk.placementOf(op);
    const [source] = parts;
    if (result !== "replicate" && result !== "partial") {
      throw new NotDifferentiable(`${op.origin.layer}: a part of ${y.name} is read by nobody`);
    }
    if (source !== undefined) {
      parts.push({
        ranks: missing,
        tensor: brought(walk, site, source.tensor, source.ranks[0] ?? 0, missing),
      });
    }
  }
  return joined(`${y.name}/gradient`, parts);
}

function summed(walk: Walk, site: Site, y: Tensor, { ranks, summands }: Held): Tensor {
  const partial = summands.filter(({ partialOver }) => partialOver !== undefined);
  const full = summands.filter(({ partialOver }) => partialOver === undefined);
  const added = addAll(walk, site, y, ranks, partial, "partial");
  const [one] = partial;
  const reduced =
    added === undefined || one?.partialOver === undefined
      ? []
      : [{ tensor: allReduced(walk, site, y, added, one.partialOver) }];
  const total = addAll(walk, site, y, ranks, [...reduced, ...full], "sum");
  if (total === undefined) throw new Error(`${y.name}: no summand`);
  return total;
}

export function addAll(
  walk: Walk,
  site: Site,
  y: Tensor,
  ranks: readonly number[],
  [first, ...others]: readonly Summand[],
  what: string,
): Tensor | undefined {
  let total = first?.tensor;
  for (const [i, { tensor }] of others.entries()) {
    if (total === undefined) break;
    const { op, y: next } = sum(site, ranks, total, tensor, `${y.name}/gradient/${what}${i}`);
    walk.emit(op);
    total = next;
  }
  return total;
}

function allReduced(
  walk: Walk,
  site: Site,
  y: Tensor,
  x: Tensor,
  ranks: readonly number[],
): Tensor {
  const result = gradientTensor(x, `${y.name}/gradient/reduced`, ranks);
  walk.emit({
    op: "collective",
    ...site,
    ranks,
    ...channel(`${y.name}/gradient/${ranks[0]}`),
    from: ranks,
    to: ranks,
    amount: { kind: "all-reduce", count: elementsOn(x, ranks[0] ?? 0) },
    x: whole(x),
    y: whole(result),
  });
  return result;
}

/** The source's tensor on other ranks, too. */
export function brought(
  walk: Walk,
  site: Site,
  x: Tensor,
  source: number,
  targets: readonly number[],
): Tensor {
  const sent = gradientTensor(x, `${nameOn(x, source)}/from ${source}`, targets);
  walk.emit({
    op: "collective",
    ...site,
    ranks: [source, ...targets],
    ...channel(`${nameOn(x, source)}/${source}-${targets.join()}`),
    from: [source],
    to: targets,
    amount: {
      kind: targets.length === 1 ? "send" : "broadcast",
      count: elementsOn(x, source),
    },
    x: whole(x),
    y: whole(sent),
  });
  return sent;
}

export function channel(name: string) {
  return { name, channelName: name, slot: 0 } as const;
}

/** Elements that a rank's part takes, padding included. */
export function elementsOn(tensor: Tensor, rank: number): number {
  const [rows = 0, columns = 0] = partOn(tensor, rank)?.shape ?? [];
  return paddedElements(rows, columns);
}

/** One tensor whose buffers may be called otherwise on each rank. */
export function joined(
  name: string,
  pieces: readonly { readonly ranks: readonly number[]; readonly tensor: Tensor }[],
): Tensor {
  const [first] = pieces;
  if (first === undefined) throw new Error(`${name} is nowhere`);
  if (pieces.length === 1) return first.tensor;
  return {
    ...first.tensor,
    name,
    parts: {
      ranks: pieces.flatMap(({ ranks }) => ranks),
      held: pieces.flatMap(({ ranks, tensor }) =>
        ranks.map((rank) => ({
          shape: partOn(tensor, rank)?.shape ?? [],
          name: nameOn(tensor, rank),
        })),
      ),
    },
  };
}

/** A summand found before, which the next one can be added to where it is made; it is no longer there. */
export function takeOnly(
  { book }: Walk,
  x: Tensor,
  ranks: readonly number[],
  isPartial: boolean,
): Tensor | undefined {
  const held = book.take(x, ranks);
  const [first] = held;
  const [summand] = first?.summands ?? [];
  const isOnly = held.length === 1 && first?.summands.length === 1;
  if (isOnly && summand !== undefined && (summand.partialOver !== undefined) === isPartial) {
    return summand.tensor;
  }
  for (const each of held) for (const one of each.summands) book.add(x, each.ranks, one);
  return undefined;
}
