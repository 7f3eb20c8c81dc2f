// The GPUs that a tensor group has too many become a pipeline stage: the plan is written anew as explicit
// stages, the first on the group, the second on the surplus, layers shared out by the number of GPUs.

import { featuresBeyondLayers } from "../../plan/features_beyond_layers.ts";
import { type Layer, planLayerOf } from "../../plan/layers/layers.ts";
import { drop, type Faulty, type PatchOperation, type Proposal, put } from "./fix.ts";

type LayerValue = Readonly<Record<string, unknown>>;

/**
 * Undefined where there is no surplus, or too few layers for two stages; and where explicit stages cannot say all
 * that the model is described with, which they would lose without a word.
 */
export function surplusStage(
  faulty: Faulty,
  group: readonly number[],
  surplus: readonly number[],
): Proposal | undefined {
  const { plan, written } = faulty;
  const layers = plan?.stages[0]?.layers;
  if (plan === undefined || written === undefined || layers === undefined) return undefined;
  if (
    plan.model === undefined ||
    featuresBeyondLayers(plan.model, plan.workload.sequence).length > 0
  )
    return undefined;
  const blocks = plan.model.layers;
  if (surplus.length === 0 || blocks < 2 || plan.stages.length > 1) return undefined;
  const all = group.length + surplus.length;
  const own = Math.min(blocks - 1, Math.max(1, Math.round((blocks * group.length) / all)));
  const cut = endOfBlock(layers, own);
  const first = stageOf("on_tensor_group", layers.slice(0, cut), 0, group);
  const second = stageOf("on_surplus", layers.slice(cut), cut, surplus);
  const gone = ["model", "parallel", "tensor_parallel_distribution"] as const;
  const assumed = plan.assumed.filter((path) => !gone.some((key) => path.split(".")[0] === key));
  const patch: PatchOperation[] = [
    ...gone.flatMap((key) => (written[key] === undefined ? [] : [drop([key])])),
    put(faulty, ["stages"], [first, second]),
    put(faulty, ["communications"], [{ name: "to_surplus", op: "send", from: group, to: surplus }]),
    ...(assumed.length === plan.assumed.length ? [] : [put(faulty, ["assumed"], assumed)]),
  ];
  return {
    patch,
    description: `GPU ${surplus.join(", ")} is a pipeline stage of its own, with ${blocks - own} of ${blocks} layers`,
    consequence: "explicit stages; a pipeline bubble, which more micro-batches shrink",
  };
}

/** How many layers the first `blocks` blocks take, with an embedding before them: a block begins at attention's norm. */
function endOfBlock(layers: readonly Layer[], blocks: number): number {
  const starts = layers.flatMap((layer, i) =>
    planLayerOf(layer).mixes === "tokens" ? [i - 1] : [],
  );
  return starts[blocks] ?? layers.length;
}

function stageOf(name: string, layers: readonly Layer[], from: number, gpus: readonly number[]) {
  return {
    name,
    layers: layers.map((layer) => layerOf(layer, from, gpus)),
  };
}

function layerOf(layer: Layer, before: number, gpus: readonly number[]): LayerValue {
  const {
    name: _,
    groups: _unused,
    ...written
  } = planLayerOf(layer).write(layer, { gpus, before });
  return written;
}
