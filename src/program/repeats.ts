// Equal blocks of layers in a row: of many, four or five are lowered, however deep the model is. The first takes what
// comes before them, the last gives to what comes after; the second does what all between them do, and stands for those
// that are left out. As tensors of a block may live as long as some of the next, blocks use memory in turns of two: as many
// are left out as leave the others in theirs.

import { type Layer, readsAgain } from "../plan/layers/layers.ts";
import { hasBackwardSlots } from "../plan/pipeline.ts";
import type { Plan, Stage } from "../plan/plan.ts";
import { layerName } from "./plan_ops.ts";
import type { Totals } from "./tally.ts";

export interface Repeats {
  /** With four or five of the blocks in each row. Layers keep the names that they have in the whole plan. */
  readonly plan: Plan;
  /** By a layer's name: the same for layers that have the same place in every other block of a row. */
  readonly kindOf: (layer: string) => string;
  /** How many layers of the whole plan a layer of `plan` stands for. */
  readonly timesOf: (layer: string) => number;
  /** By the name of a block's first layer: names of all the blocks that the block stands for, its own first. */
  readonly stoodFor: ReadonlyMap<string, readonly (readonly string[])[]>;
}

/** The plan as it is: every layer stands for itself. */
export function everyLayer(plan: Plan): Repeats {
  return {
    plan,
    kindOf: kindsOf(plan, createSignatures()),
    timesOf: () => 1,
    stoodFor: new Map(),
  };
}

function kindsOf({ stages }: Plan, signatureOf: Signatures): Repeats["kindOf"] {
  const first = new Map<string, string>();
  for (const stage of stages) {
    const names = stage.layers.map((layer) => layerName(stage, layer));
    for (const { start, length, count } of rowsOf(stage, signatureOf)) {
      for (let at = start + 2 * length; at < start + length * count; at++) {
        first.set(names[at] ?? "", names[start + ((at - start) % (2 * length))] ?? "");
      }
    }
  }
  return (layer) => first.get(layer) ?? layer;
}

/** Layers of the longest block that is looked for. */
const longestBlock = 48;

export function shorten(plan: Plan): Repeats {
  const { stages } = plan;
  const areNamed = new Set(stages.map(({ name }) => name)).size === stages.length;
  if (!areNamed || !treatsBlocksAlike(plan)) return everyLayer(plan);
  const signatureOf = createSignatures();
  const times = new Map<string, number>();
  const stoodFor = new Map<string, readonly (readonly string[])[]>();
  const short = stages.map((stage): Stage => {
    const rows = rowsOf(stage, signatureOf);
    for (const row of rows) {
      const { start, length, count } = row;
      const names = (block: number): string[] =>
        stage.layers
          .slice(start + block * length, start + (block + 1) * length)
          .map((layer) => layerName(stage, layer));
      const middle = names(1);
      const all = Array.from({ length: 1 + count - keptOf(row) }, (_, i) => names(1 + i));
      for (const name of middle) times.set(name, all.length);
      stoodFor.set(middle[0] ?? "", all);
    }
    return { ...stage, layers: without(stage.layers, rows) };
  });
  if (times.size === 0) return everyLayer(plan);
  return {
    plan: { ...plan, stages: short },
    kindOf: kindsOf(plan, signatureOf),
    timesOf: (layer) => times.get(layer) ?? 1,
    stoodFor,
  };
}

/** Not where the backward pass computes some blocks again and others not, or several of them together. */
function treatsBlocksAlike(plan: Plan): boolean {
  const { granularity, method = "uniform", layers = 1 } = plan.workload.recompute ?? {};
  const isAlike = granularity !== "full" || (method === "uniform" && layers === 1);
  return isAlike || !hasBackwardSlots(plan);
}

/** Equal blocks one after another. */
interface Row {
  /** Index of the first block's first layer. */
  readonly start: number;
  /** Layers of a block. */
  readonly length: number;
  /** More than are kept. */
  readonly count: number;
}

/** How many blocks are lowered, of more: an even number is left out. */
function keptOf({ count }: Row): number {
  return 4 + (count % 2);
}

/** Rows that share no layer, in order, as far as no layer elsewhere reads from within one. */
function rowsOf({ layers }: Stage, signatureOf: Signatures): Row[] {
  const signatures = layers.map(signatureOf);
  const longest = longestRows(signatures);
  const rows: Row[] = [];
  for (let at = 0; at < layers.length; at++) {
    const { length = 0, covered = 0 } = longest[at] ?? {};
    const count = length === 0 ? 0 : Math.floor(covered / length);
    const block = layers.slice(at, at + length);
    const row = { start: at, length, count };
    if (count <= keptOf(row) || block.some((layer) => (readsAgain(layer) ?? at) < at)) continue;
    rows.push(row);
    at += length * count - 1;
  }
  const rowAt = new Map<number, Row>();
  for (const row of rows) {
    for (let at = row.start; at < row.start + row.length * row.count; at++) rowAt.set(at, row);
  }
  const readElsewhere = new Set(
    layers.flatMap((layer, at) => {
      const from = readsAgain(layer) ?? at;
      return rowAt.get(at) === rowAt.get(from) ? [] : [rowAt.get(from)];
    }),
  );
  return rows.filter((row) => !readElsewhere.has(row));
}

/** By index: how many layers from there on repeat the `length` before them, these included; for the length with most. */
function longestRows(signatures: readonly number[]) {
  const longest = signatures.map(() => ({ length: 0, covered: 0 }));
  for (let length = Math.min(longestBlock, signatures.length >> 2); length > 0; length--) {
    let same = 0;
    for (let at = signatures.length - 1 - length; at >= 0; at--) {
      same = signatures[at] === signatures[at + length] ? same + 1 : 0;
      const before = longest[at];
      if (before !== undefined && same >= 3 * length && same + length >= before.covered) {
        longest[at] = { length, covered: same + length };
      }
    }
  }
  return longest;
}

/** Equal numbers for layers that differ in nothing but their place. */
type Signatures = (layer: Layer, at: number) => number;

function createSignatures(): Signatures {
  const known = new Map<string, number>();
  const numberOf = (text: string): number => {
    const found = known.get(text) ?? known.size;
    known.set(text, found);
    return found;
  };
  // Layers of a stage share their lists, which may name thousands of GPUs.
  const lists = new Map<object, number>();
  const listOf = (list: object): number => {
    const found = lists.get(list) ?? numberOf(JSON.stringify(list));
    lists.set(list, found);
    return found;
  };
  return (layer, at) => {
    const { name: _, groups, ...rest } = layer;
    const own = {
      ...rest,
      groups: listOf(groups),
      ...(layer.expertGroups === undefined ? {} : { expertGroups: listOf(layer.expertGroups) }),
      ...("from" in layer ? { from: at - layer.from } : {}),
    };
    return numberOf(JSON.stringify(own));
  };
}

function without(layers: readonly Layer[], rows: readonly Row[]): Layer[] {
  const kept: Layer[] = [];
  /** New index by the old one. */
  const placeOf = new Map<number, number>();
  const keep = (first: number, end: number): void => {
    for (const [i, layer] of layers.slice(first, end).entries()) {
      placeOf.set(first + i, kept.length);
      kept.push(
        "from" in layer ? { ...layer, from: placeOf.get(layer.from) ?? layer.from } : layer,
      );
    }
  };
  let next = 0;
  for (const row of rows) {
    const { start, length, count } = row;
    keep(next, start + 2 * length);
    next = start + (2 + count - keptOf(row)) * length;
  }
  keep(next, layers.length);
  return kept;
}

/** From the totals of the shortened plan to those of the whole: figures by layer are said of every one. */
export function expandRepeats(totals: Totals, { stoodFor }: Repeats): Totals {
  return stoodFor.size === 0
    ? totals
    : {
        ...totals,
        layers: inEveryBlock(totals.layers, stoodFor),
        collectives: inEveryBlock(totals.collectives, stoodFor),
      };
}

/** Items by layer, in order of the layers: those of a layer that stands for others, of each of them. */
export function inEveryBlock<Item extends { readonly layer: string }>(
  items: readonly Item[],
  stoodFor: Repeats["stoodFor"],
): Item[] {
  const blockOf = new Map(
    [...stoodFor.values()].flatMap((blocks) => (blocks[0] ?? []).map((name) => [name, blocks])),
  );
  const expanded: Item[] = [];
  for (let at = 0; at < items.length;) {
    const blocks = blockOf.get(items[at]?.layer ?? "");
    let end = at + 1;
    while (end < items.length && blockOf.get(items[end]?.layer ?? "") === blocks) end += 1;
    const run = items.slice(at, end);
    if (blocks === undefined) expanded.push(...run);
    else {
      const [own = []] = blocks;
      const placeOf = new Map(own.map((name, i) => [name, i]));
      for (const names of blocks) {
        for (const item of run) {
          expanded.push({ ...item, layer: names[placeOf.get(item.layer) ?? 0] ?? item.layer });
        }
      }
    }
    at = end;
  }
  return expanded;
}
