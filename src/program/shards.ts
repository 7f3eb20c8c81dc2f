// What each GPU holds of a layer, in a few words.

import { type Layer, planLayerOf } from "../plan/layers/layers.ts";

export interface WeightShards {
  readonly gpu: number;
  /** Such as `columns 1/2`; short enough for a box in a picture. */
  readonly text: string;
  /** The same of all members together, for boxes that stand for many GPUs. */
  readonly whole: string;
}

export function shardsOf(layer: Layer): WeightShards[] {
  return layer.groups.flatMap((group, replica) =>
    group.map((gpu, i): WeightShards => {
      const members = group.length;
      const replicas = layer.groups.length;
      const alone = replicas === 1 ? "whole" : `replica ${replica + 1}/${replicas}`;
      const part = partOf(layer, i, members);
      return {
        gpu,
        text: part === undefined ? alone : part,
        whole: wholeOf(layer, members, replicas),
      };
    }),
  );
}

/** Undefined where the member has all of it. */
function partOf(layer: Layer, i: number, members: number): string | undefined {
  if (members === 1) return undefined;
  const share = planLayerOf(layer).share(layer);
  return share === "copies" ? "a copy" : `${share} ${i + 1}/${members}`;
}

function wholeOf(layer: Layer, members: number, replicas: number): string {
  const parts = members === 1 ? [] : [`${planLayerOf(layer).share(layer)} /${members}`];
  return [...parts, ...(replicas === 1 ? [] : [`${replicas} replicas`])].join(", ") || "whole";
}
