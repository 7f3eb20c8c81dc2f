// What has been found of the gradient of each tensor, by the rank that holds it: summands from the ops that read it.

import type { Op } from "../../op.ts";
import type { OpOrigin } from "../../program.ts";
import { partOn, type Tensor, type TensorPart, whole } from "../../tensor.ts";

export interface Summand {
  readonly tensor: Tensor;
  /** Ranks over which it is one more sum; absent where each rank has all of it. */
  readonly partialOver?: readonly number[];
}

export interface Book {
  /** One more op that reads `of` on these ranks. */
  add(of: Tensor, ranks: readonly number[], summand: Summand): void;
  /** Ranks with the same summands, together; what is taken is no longer there. */
  take(of: Tensor, ranks: readonly number[]): readonly Held[];
  has(of: Tensor, rank: number): boolean;
}

export interface Held {
  readonly ranks: readonly number[];
  readonly summands: readonly Summand[];
}

export function createBook(): Book {
  const entries = new Map<string, Summand[]>();
  const keyOf = ({ name }: Tensor, rank: number): string => `${rank} ${name}`;
  return {
    add(of, ranks, summand) {
      for (const rank of ranks) {
        const own = entries.get(keyOf(of, rank)) ?? [];
        entries.set(keyOf(of, rank), [...own, summand]);
      }
    },
    take(of, ranks) {
      const groups = new Map<string, { ranks: number[]; found: (readonly Summand[])[] }>();
      for (const rank of ranks) {
        const summands = entries.get(keyOf(of, rank)) ?? [];
        entries.delete(keyOf(of, rank));
        const key = summands
          .map(({ tensor, partialOver }) => `${tensor.name} ${partialOver?.join() ?? ""}`)
          .join("\n");
        const group = groups.get(key) ?? { ranks: [], found: [] };
        groups.set(key, group);
        group.ranks.push(rank);
        group.found.push(summands);
      }
      return [...groups.values()].map(({ ranks: own, found }) => ({
        ranks: own,
        summands: (found[0] ?? []).map((summand, i) => ({
          ...summand,
          tensor: across(
            own,
            found.map((each) => each[i]?.tensor ?? summand.tensor),
          ),
        })),
      }));
    },
    has: (of, rank) => (entries.get(keyOf(of, rank))?.length ?? 0) > 0,
  };
}

/** What ranks have each by itself under one name, as one tensor. @param tensors by rank */
function across(ranks: readonly number[], tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new Error("no tensor");
  if (tensors.every((tensor) => tensor === first)) return first;
  const held = ranks.map(
    (rank, i): TensorPart => partOn(tensors[i] ?? first, rank) ?? { shape: [] },
  );
  return { ...first, parts: { ranks, held } };
}

/** An activation that lies as `like` does. */
export function gradientTensor(
  { parts, dtype, layer }: Tensor,
  name: string,
  ranks: readonly number[] = parts.ranks,
): Tensor {
  const shapeOf = (rank: number): TensorPart => ({
    shape: parts.held[parts.held.length === 1 ? 0 : parts.ranks.indexOf(rank)]?.shape ?? [],
  });
  const held = parts.held.length === 1 ? [shapeOf(ranks[0] ?? 0)] : ranks.map(shapeOf);
  return {
    name,
    layer,
    role: "activation",
    ...(dtype === undefined ? {} : { dtype }),
    parts: { ranks, held },
  };
}

/** Where the ops of a gradient stand. */
export interface Site {
  readonly origin: OpOrigin;
  readonly place: string;
}

/** a + b on the ranks. */
export function sum(
  site: Site,
  ranks: readonly number[],
  a: Tensor,
  b: Tensor,
  name: string,
): {
  readonly op: Op;
  readonly y: Tensor;
} {
  const y = gradientTensor(a, name, ranks);
  return { op: { op: "add", ...site, ranks, a: whole(a), b: whole(b), y: whole(y) }, y };
}
