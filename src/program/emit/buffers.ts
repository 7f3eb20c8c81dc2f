// Which buffer of a rank holds a tensor. Activations that no backward pass reads take turns in shared memory. Of the
// others a rank has as many copies as its stage holds micro-batches at once, and each micro-batch uses one of them.

import { type Builder, tensorBytes, copyName, type SharedPlace } from "../builder.ts";
import type { BufferRole, Origin } from "../program.ts";
import { copiesOf, type ActivationCopies } from "../schedule/copies.ts";
import type { Scheduling } from "../schedule/scheduling.ts";
import { nameOn, partOn, type Tensor, type View, volumeOf, whole } from "../tensor.ts";
import { tileOf } from "../tile.ts";
import type { ActivationMemory } from "./activation_memory.ts";
import { shapeOn } from "./sizes.ts";

/** The buffer's id on that rank, declared where it is new. */
export type BufferOf = (rank: number, view: View, origin: Origin) => string;

export function createBuffers(
  builder: Builder,
  scheduling: Scheduling | undefined,
  memory: ActivationMemory,
): BufferOf {
  const copiesAt = createCopies(scheduling);
  const declared = new Set<Tensor>();
  /**
   * Copies by rank and name, where ranks have several chunks of layers: a tensor that one chunk hands to another has as
   * many as the first needs.
   */
  const counts = new Map<number, Map<string, number>>();
  const hasChunks = (scheduling?.schedule.virtualStages ?? 1) > 1;

  const countOf = (rank: number, name: string, origin: Origin): number => {
    const count = copiesAt(rank, origin)?.count ?? 1;
    if (!hasChunks) return count;
    const own = counts.get(rank) ?? new Map<string, number>();
    counts.set(rank, own);
    const known = own.get(name) ?? count;
    own.set(name, known);
    return known;
  };
  const isCopied = ({ role }: Tensor): boolean => role === "activation" || role === "input";

  /** The memory that a tensor takes turns in with others. */
  const sharedOn = (rank: number, name: string): SharedPlace | undefined => {
    const shared = memory.on(rank);
    const place = shared?.placeOf.get(name);
    if (place === undefined) return undefined;
    const { arena, offset } = place;
    return { id: `activations/${arena}`, bytes: shared?.arenas[arena] ?? 0, offset };
  };

  const declare = (tensor: Tensor, origin: Origin): void => {
    const { layer, role, dtype, parts } = tensor;
    for (const rank of parts.ranks) {
      const part = partOn(tensor, rank);
      if (part === undefined) continue;
      const { shape, content, name = tensor.name } = part;
      const id = idOf(tensor, name, origin);
      const declaration = {
        id,
        layer,
        role,
        shape,
        ...(dtype === undefined ? {} : { dtype }),
        ...(content === undefined || !begins.has(role) ? {} : { content }),
      };
      const shared = role === "activation" ? sharedOn(rank, name) : undefined;
      if (shared !== undefined) {
        builder.declareIn(rank, declaration, shared);
        continue;
      }
      const count = isCopied(tensor) ? countOf(rank, name, origin) : 1;
      builder.declareCopies(rank, declaration, count);
    }
  };

  return (rank, view, origin) => {
    const { tensor, window, tile } = view;
    if (tensor.slot !== undefined) {
      const bytes = tensorBytes(rowsShapeOn(view, rank), tensor.dtype ?? builder.dtype);
      const id = builder.workspace(rank, bytes, tensor.slot);
      return tile === undefined ? id : partOf(builder, rank, id, view);
    }
    if (!declared.has(tensor)) {
      declared.add(tensor);
      declare(tensor, origin);
    }
    const name = nameOn(tensor, rank);
    const isShared = memory.on(rank)?.placeOf.has(name) === true;
    const count = isCopied(tensor) && !isShared ? countOf(rank, name, origin) : 1;
    const copy = count === 1 ? 0 : (copiesAt(rank, origin)?.copy ?? 0);
    const id = copyName(idOf(tensor, name, origin), copy, count);
    const isWhole = window === undefined && tile === undefined;
    return isWhole ? id : partOf(builder, rank, id, view);
  };
}

/** Of the view's rows, with all their columns. */
function rowsShapeOn({ tensor, window }: View, rank: number): readonly number[] {
  return shapeOn(window === undefined ? whole(tensor) : { tensor, window }, rank);
}

function partOf(builder: Builder, rank: number, id: string, view: View): string {
  const { window: { first } = { first: 0, rows: 0 }, tile } = view;
  const shape = rowsShapeOn(view, rank);
  const columns = shape.at(-1) ?? 1;
  const rows = volumeOf(shape.slice(0, -1));
  return builder.window(rank, id, { columns, first, rows }, tile && tileOf(columns, tile));
}

/** Roles whose content is there from the beginning: inputs and gathered weights come in the course of a step. */
const begins: ReadonlySet<BufferRole> = new Set(["weight", "constant", "cache", "optimizer"]);

/** Phases of serving share weights, constants and caches; what else they name alike is of other sizes. */
function idOf({ role }: Tensor, name: string, { serves }: Origin): string {
  const isShared = role === "weight" || role === "constant" || role === "cache";
  return serves === undefined || isShared ? name : `${serves} ${name}`;
}

/** How many copies a rank has of what an op of that origin writes, and which of them the micro-batch uses. */
function createCopies(scheduling: Scheduling | undefined) {
  const known = new Map<number, ActivationCopies>();
  return (
    rank: number,
    origin: Origin,
  ): { readonly count: number; readonly copy: number } | undefined => {
    if (scheduling === undefined || scheduling.schedule.name === "forward") return undefined;
    const { schedule, places } = scheduling;
    const pipelineRank = places.pipelineRankOf(rank);
    if (pipelineRank === undefined) return undefined;
    const copies = known.get(pipelineRank) ?? copiesOf(schedule, pipelineRank);
    known.set(pipelineRank, copies);
    const chunk = places.chunkOf(rank, origin);
    return { count: copies.counts[chunk] ?? 1, copy: copies.copyOf(chunk, origin.microBatch) };
  };
}
