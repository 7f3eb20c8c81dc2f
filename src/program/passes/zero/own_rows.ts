// The rows of a tensor that a rank has of what it shares with others, as a tensor of their own.

import type { Content, RegionContent } from "../../content.ts";
import { nameOn, partOn, startsOf, type Tensor, type TensorPart } from "../../tensor.ts";
import type { Sharing } from "./sharing.ts";

interface Rows {
  readonly first: number;
  readonly extent: number;
}

/** Of an owner, along the first axis. */
export function rowsOf({ owners, extents }: Sharing, rank: number): Rows {
  const at = owners.indexOf(rank);
  return { first: startsOf(extents)[at] ?? 0, extent: extents[at] ?? 0 };
}

/** @param ranks all of them owners */
export function ownRows(
  tensor: Tensor,
  ranks: readonly number[],
  sharingOn: (rank: number) => Sharing,
): Tensor {
  const held = ranks.map((rank): TensorPart => {
    const part = partOn(tensor, rank);
    if (part === undefined) throw new Error(`${tensor.name} is not on rank ${rank}`);
    return slicePart(part, rowsOf(sharingOn(rank), rank), `${nameOn(tensor, rank)}/own`);
  });
  return { ...tensor, name: `${tensor.name}/own`, parts: { ranks, held } };
}

function slicePart({ shape, content }: TensorPart, rows: Rows, name: string): TensorPart {
  const inner = shape.slice(1);
  return {
    shape: [rows.extent, ...inner],
    name,
    ...(content === undefined ? {} : { content: sliceContent(content, rows, inner.length === 0) }),
  };
}

function sliceContent(content: Content, rows: Rows, isVector: boolean): Content {
  if (content.kind !== "beside") return sliceRegion(content, rows);
  const { parts } = content;
  return {
    kind: "beside",
    parts: isVector ? sliceRow(parts, rows) : parts.map((part) => sliceRegion(part, rows)),
  };
}

/** Of regions one behind the other. */
function sliceRow<Region extends RegionContent>(
  regions: readonly Region[],
  { first, extent }: Rows,
): Region[] {
  let next = 0;
  return regions.flatMap((region) => {
    const start = next;
    next += region.size[0] ?? 0;
    const begin = Math.max(first, start);
    const end = Math.min(first + extent, next);
    return begin < end ? [sliceRegion(region, { first: begin - start, extent: end - begin })] : [];
  });
}

function sliceRegion<Region extends RegionContent>(
  region: Region,
  { first, extent }: Rows,
): Region {
  const [start = 0, ...offset] = region.offset;
  const [, ...size] = region.size;
  return { ...region, offset: [start + first, ...offset], size: [extent, ...size] };
}
