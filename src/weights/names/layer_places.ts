// Where each layer of a plan stands in its model: in which block, and a norm before or after what. Checkpoints name
// weights by that.

import type { Layer } from "../../plan/layers/layers.ts";
import type { Plan } from "../../plan/plan.ts";

export type Role =
  | "embedding"
  | "norm after embedding"
  | "attention"
  | "mlp"
  | "moe"
  | "norm before attention"
  | "norm after attention"
  | "norm before mlp"
  | "norm after mlp"
  | "last norm"
  | "head";

export interface NamedLayer {
  /** `<stage>/<layer>`, as in programs. */
  readonly name: string;
  readonly layer: Layer;
  /** Absent: checkpoints have no such layer. */
  readonly role?: Role;
  /** Of the model, from 0. */
  readonly block: number;
}

/** In order of execution. */
export function layerPlaces({ stages }: Pick<Plan, "stages">): NamedLayer[] {
  const named = stages.flatMap((stage) =>
    stage.layers.map((layer) => ({ name: `${stage.name}/${layer.name}`, layer })),
  );
  const ops = named.map(({ layer }) => layer.op);
  let attentions = 0;
  return named.map(({ name, layer }, at) => {
    const role = roleOf(ops, at);
    if (layer.op === "attention") attentions += 1;
    // The norm before an attention belongs to the block that the attention begins.
    const block = role === "norm before attention" ? attentions : Math.max(0, attentions - 1);
    return { name, layer, block, ...(role === undefined ? {} : { role }) };
  });
}

function roleOf(ops: readonly Layer["op"][], at: number): Role | undefined {
  const op = ops[at];
  switch (op) {
    case "embedding":
    case "attention":
    case "mlp":
    case "moe":
      return op;
    case "linear":
      return at === ops.length - 1 ? "head" : undefined;
    case "norm":
      return normRole(ops[at - 1], ops.slice(at + 1));
    default:
      return undefined;
  }
}

function normRole(
  before: Layer["op"] | undefined,
  after: readonly Layer["op"][],
): Role | undefined {
  if (before === "embedding" && after[0] === "norm") return "norm after embedding";
  if (before === "attention") return "norm after attention";
  if (before === "mlp" || before === "moe") return "norm after mlp";
  const next = after.find((op) => op === "attention" || op === "mlp" || op === "moe");
  if (next === undefined) return "last norm";
  return next === "attention" ? "norm before attention" : "norm before mlp";
}
