// What each GPU holds of a layer, in a few words.

import type { Layer } from "../plan/plan.ts";

export interface Shard {
  readonly gpu: number;
  /** Such as `columns 1/2`; short enough for a box in a picture. */
  readonly text: string;
  /** The same of all members together, for boxes that stand for many GPUs. */
  readonly whole: string;
}

export const detailOf = (layer: Layer): string => {
  switch (layer.op) {
    case "linear":
      return `${layer.in} → ${layer.out}`;
    case "embedding":
      return `${layer.vocabulary} → ${layer.hidden}`;
    case "attention":
      return layer.heads === layer.kvHeads
        ? `${layer.heads} heads`
        : `${layer.heads}/${layer.kvHeads} heads`;
    case "mlp":
      return `${layer.hidden} ↔ ${layer.ffn}`;
    case "moe":
      return `${layer.hidden} ↔ ${layer.ffn}`;
    case "norm":
    case "residual":
      return `${layer.hidden}`;
    case "aggregate":
      return `mean of ${layer.over}`;
  }
};

export const shardsOf = (layer: Layer): Shard[] =>
  layer.groups.flatMap((group, replica) =>
    group.map((gpu, i): Shard => {
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

/** Undefined where the member has all of it. */
const partOf = (layer: Layer, i: number, members: number): string | undefined => {
  if (members === 1) return undefined;
  const share = `${i + 1}/${members}`;
  switch (layer.op) {
    case "linear":
    case "embedding":
      if (layer.split === "replicated") return "a copy";
      return `${layer.split === "column" ? "columns" : "rows"} ${share}`;
    case "attention":
      return `heads ${share}`;
    case "mlp":
      return `inner ${share}`;
    case "moe":
      return `tokens ${share}`;
    case "aggregate":
      return `columns ${share}`;
    case "norm":
    case "residual":
      return layer.split === "tokens" ? `tokens ${share}` : "a copy";
  }
};

const wholeOf = (layer: Layer, members: number, replicas: number): string => {
  const tokenwise = "split" in layer && layer.split === "tokens" ? "tokens" : "copies";
  const by =
    layer.op === "linear" || layer.op === "embedding"
      ? { column: "columns", row: "rows", replicated: "copies" }[layer.split]
      : {
          attention: "heads",
          mlp: "inner",
          moe: "tokens",
          norm: tokenwise,
          residual: tokenwise,
          aggregate: "columns",
        }[layer.op];
  const parts = members === 1 ? [] : [`${by} /${members}`];
  return [...parts, ...(replicas === 1 ? [] : [`${replicas} replicas`])].join(", ") || "whole";
};
