// Who does what: a plan's stages as steps on GPUs and the communications between them, for people. The
// communications are those of the program, so that the picture shows what runs.

import { expertsOnGpus, gpusOfStage } from "../plan/layers.ts";
import { type Layer, planLayerOf } from "../plan/layers/layers.ts";
import type { Plan, Stage } from "../plan/plan.ts";
import type { MoeLayer } from "../plan/layers/moe.ts";
import type { CollectiveEstimate } from "./estimate.ts";
import { layerName } from "./plan_ops.ts";
import { shardsOf, type WeightShards } from "./shards.ts";

export interface StageDescription {
  readonly name: string;
  readonly gpus: readonly number[];
  readonly blocks: readonly DescribedBlock[];
  /** What brings the result to the next stage. */
  readonly leaving: readonly CollectiveEstimate[];
}

/** Steps that follow one another `times` times. */
export interface DescribedBlock {
  readonly times: number;
  readonly steps: readonly DescribedStep[];
}

/** What GPUs do at the same time: a layer, or the half of one. */
export interface DescribedStep {
  /** Such as `linear`. */
  readonly title: string;
  /** Such as `4096 → 1024`. */
  readonly detail: string;
  /** Norms and residuals before and after it, on the same GPUs. */
  readonly besides: readonly Layer["op"][];
  readonly shards: readonly WeightShards[];
  /** What GPUs of the stage exchange afterwards. */
  readonly flows: readonly CollectiveEstimate[];
}

/** @param collectives of the plan's estimate */
export function describeStages(
  plan: Plan,
  collectives: readonly CollectiveEstimate[],
): StageDescription[] {
  const byLayer = new Map<string, CollectiveEstimate[]>();
  for (const each of collectives) {
    byLayer.set(each.layer, [...(byLayer.get(each.layer) ?? []), each]);
  }
  return plan.stages.map((stage): StageDescription => {
    const gpus = gpusOfStage(stage);
    const members = new Set(gpus);
    const leaves = ({ name, groups }: CollectiveEstimate): boolean =>
      name !== undefined || groups.some(({ to }) => to.some((rank) => !members.has(rank)));
    const own = stage.layers.flatMap((layer) => byLayer.get(layerName(stage, layer)) ?? []);
    const steps = partsOf(stage).flatMap((part) => stepsOf(stage, part, byLayer, leaves));
    return { name: stage.name, gpus, blocks: blocksOf(steps), leaving: own.filter(leaves) };
  });
}

/** A layer with arithmetic and the norms and residuals around it. */
interface Part {
  readonly main: Layer;
  readonly layers: readonly Layer[];
}

function partsOf({ layers }: Stage): Part[] {
  const parts: { main: Layer; layers: Layer[] }[] = [];
  let ahead: Layer[] = [];
  for (const layer of layers) {
    const before = parts.at(-1);
    const goesWith = planLayerOf(layer).goesWith?.(layer);
    if (goesWith === "last" && before !== undefined && ahead.length === 0) {
      before.layers.push(layer);
    } else if (goesWith !== undefined) {
      ahead.push(layer);
    } else {
      parts.push({ main: layer, layers: [...ahead, layer] });
      ahead = [];
    }
  }
  const [first] = ahead;
  if (first !== undefined) parts.push({ main: first, layers: ahead });
  return parts;
}

function stepsOf(
  stage: Stage,
  { main, layers }: Part,
  byLayer: ReadonlyMap<string, readonly CollectiveEstimate[]>,
  leaves: (collective: CollectiveEstimate) => boolean,
): DescribedStep[] {
  const flows = layers
    .flatMap((layer) => byLayer.get(layerName(stage, layer)) ?? [])
    .filter((each) => !leaves(each));
  const besides = layers.filter((layer) => layer !== main).map(({ op }) => op);
  const detail = planLayerOf(main).detail(main);
  if (main.op !== "moe") {
    return [{ title: main.op, detail, besides, shards: shardsOf(main), flows }];
  }
  const isThere = ({ op }: CollectiveEstimate): boolean => op === "expert-dispatch";
  return [
    {
      title: "router",
      detail: `top ${main.topK} of ${main.experts}`,
      besides,
      shards: shardsOf(main),
      flows: flows.filter(isThere),
    },
    {
      title: "experts",
      detail,
      besides: [],
      shards: expertShards(main),
      flows: flows.filter((each) => !isThere(each)),
    },
  ];
}

function expertShards(layer: MoeLayer): WeightShards[] {
  const { experts, expertGroups } = layer;
  const slices = expertGroups[0]?.[0]?.length ?? 1;
  const part = slices === 1 ? "" : ` /${slices}`;
  const copies = expertGroups.length === 1 ? "" : `, ${expertGroups.length} copies`;
  return [...expertsOnGpus(layer)].map(([gpu, own]) => ({
    gpu,
    text: `${own} experts${part}`,
    whole: `${experts} experts${part}${copies}`,
  }));
}

/** The longest repetition first found from each step on, so that a model's alike layers are told once. */
function blocksOf(steps: readonly DescribedStep[]): DescribedBlock[] {
  const keys = steps.map(({ title, detail, besides, shards, flows }) =>
    JSON.stringify([
      title,
      detail,
      besides,
      shards.length,
      shards[0],
      flows.map(({ op, groups, instances }) => [op, groups[0], instances]),
    ]),
  );
  const blocks: DescribedBlock[] = [];
  let at = 0;
  while (at < steps.length) {
    const { length, times } = repetitionAt(keys, at);
    const last = blocks.at(-1);
    const own = steps.slice(at, at + length);
    if (times === 1 && last?.times === 1) {
      blocks[blocks.length - 1] = { times: 1, steps: [...last.steps, ...own] };
    } else {
      blocks.push({ times, steps: own });
    }
    at += length * times;
  }
  return blocks;
}

/** A block of a model has few steps: longer ones are not sought. */
const longestBlock = 8;

function repetitionAt(
  keys: readonly string[],
  at: number,
): { readonly length: number; readonly times: number } {
  let best = { length: 1, times: 1 };
  for (let length = 1; length <= longestBlock; length++) {
    let times = 1;
    while (
      at + (times + 1) * length <= keys.length &&
      keys.slice(at, at + length).every((key, i) => keys[at + times * length + i] === key)
    ) {
      times += 1;
    }
    if (times > 1 && times * length > best.times * best.length) best = { length, times };
  }
  return best;
}
