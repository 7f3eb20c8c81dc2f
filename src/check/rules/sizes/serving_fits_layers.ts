// Serving works on a few tokens of each request at a time: that is the same as whole sequences only where no token looks
// ahead, and where who else is served changes nothing.

import type { Diagnostic } from "../../../plan/diagnostic.ts";
import { fieldPath, listed, placedLayers, type PlacedLayer } from "../../../plan/layers.ts";
import { type Layer, planLayerOf } from "../../../plan/layers/layers.ts";
import { contextOf } from "../../../plan/mesh.ts";
import type { Plan } from "../../../plan/plan.ts";
import type { Serving } from "../../../plan/serving.ts";
import { degreesWith, oneStage } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { layerNotRunnable, notRunnable } from "./layer_not_runnable.ts";

const serving = { mode: "serving", inputTokens: 8, outputTokens: 4 };

const onTwo = { hardware: { gpus: 2 }, workload: { batch: 2, ...serving } };

/** Eight wide, of two heads; a list of lists are data replicas. */
const attentionOn = (gpus: readonly (number | readonly number[])[]) => ({
  op: "attention",
  hidden: 8,
  heads: 2,
  parallel: { kind: gpus.length === 1 ? "tensor" : "data", gpus: gpus.flat() },
});

const servingLayerLooksAhead: DiagnosticDefinition = {
  code: "serving-layer-looks-ahead",
  severity: "error",
  title: "Serving Layer Looks Ahead",
  requires:
    "A plan that serves gives each token by itself and those before it: attention is causal, nothing is aggregated, and no expert drops tokens.",
  examples: {
    bad: degreesWith({ workload: serving, model: { causal: false } }),
    good: degreesWith({ workload: serving }),
  },
};

const servingReplicasDiffer: DiagnosticDefinition = {
  code: "serving-replicas-differ",
  severity: "error",
  title: "Serving Replicas Differ",
  requires:
    "Every attention layer of a plan that serves has as many groups: each holds the caches of its own requests.",
  examples: {
    bad: oneStage([attentionOn([0]), attentionOn([[0], [1]])], onTwo),
    good: oneStage([attentionOn([[0], [1]]), attentionOn([[0], [1]])], onTwo),
  },
};

const servingOverContext: DiagnosticDefinition = {
  code: "serving-over-context",
  severity: "error",
  title: "Serving Over Context",
  requires: "Each rank of a plan that serves sees whole requests: parallel.context is 1.",
  examples: {
    bad: degreesWith({ hardware: { gpus: 4 }, workload: serving, parallel: { context: 2 } }),
    good: degreesWith({ workload: serving }),
  },
};

const servingBudgetTooSmall: DiagnosticDefinition = {
  code: "serving-budget-too-small",
  severity: "error",
  title: "Serving Budget Too Small",
  requires:
    "A step takes as many tokens as the prompt of one request has, where prompts are not cut into chunks.",
  examples: {
    bad: degreesWith({ workload: { ...serving, scheduler: { maxBatchedTokens: 7 } } }),
    good: degreesWith({ workload: { ...serving, scheduler: { maxBatchedTokens: 8 } } }),
  },
};

export const servingFitsLayers: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [
    servingLayerLooksAhead,
    servingReplicasDiffer,
    servingOverContext,
    servingBudgetTooSmall,
    layerNotRunnable,
  ],
  ofPlan: (plan) => {
    const { mode, serving: served } = plan.workload;
    if (mode !== "serving" || served === undefined) return [];
    return [
      ...placedLayers(plan).flatMap((placed) => [
        ...looksAhead(plan, placed),
        ...isNotCached(plan, placed),
      ]),
      ...replicasDiffer(plan),
      ...overContext(plan),
      ...budgetTooSmall(served),
    ];
  },
};

function looksAhead(plan: Plan, placed: PlacedLayer): Diagnostic[] {
  const why = dependsOnOthers(placed.layer);
  if (why === undefined) return [];
  const { field, what } = why;
  return [
    report(
      servingLayerLooksAhead,
      plan.model === undefined ? fieldPath(plan, placed, field) : ["model"],
      `${what}, which a step of serving does not see`,
      "serve a causal model without aggregation and capacity, or set workload.mode to inference",
    ),
  ];
}

/** What caches do not do yet. */
function isNotCached(plan: Plan, placed: PlacedLayer): Diagnostic[] {
  return placed.layer.op === "gated-delta"
    ? [
        notRunnable(
          fieldPath(plan, placed),
          "linear attention does not keep its states from step to step yet",
          "set workload.mode to inference",
        ),
      ]
    : [];
}

function dependsOnOthers(
  layer: Layer,
): { readonly field?: string; readonly what: string } | undefined {
  if (planLayerOf(layer).aggregates !== undefined) return { what: `${layer.op} joins tokens` };
  if (layer.op === "attention" && !layer.causal) {
    return { field: "causal", what: "attention looks at tokens to come" };
  }
  return layer.op === "moe" && layer.capacityFactor !== undefined
    ? { field: "capacityFactor", what: "an expert drops tokens by how many others it gets" }
    : undefined;
}

function replicasDiffer(plan: Plan): Diagnostic[] {
  const attentions = placedLayers(plan).filter(({ layer }) => layer.op === "attention");
  const [first, ...others] = attentions;
  const expected = first?.layer.groups.length ?? 1;
  const differing = others.find(({ layer }) => layer.groups.length !== expected);
  if (differing === undefined) return [];
  const { groups } = differing.layer;
  return [
    report(
      servingReplicasDiffer,
      fieldPath(plan, differing, "parallel"),
      `attention on GPUs ${listed(groups.flat())} has ${groups.length} groups, and the first has ${expected}`,
      "give all attention layers as many groups",
    ),
  ];
}

const overContext = ({ degrees }: Plan): Diagnostic[] =>
  degrees === undefined || contextOf(degrees) === 1
    ? []
    : [
        report(
          servingOverContext,
          ["parallel", "context"],
          `${contextOf(degrees)} ranks share each sequence, and a decode step has one token of it`,
          "leave parallel.context out",
        ),
      ];

function budgetTooSmall({ inputTokens, prefillChunk, scheduler }: Serving): Diagnostic[] {
  const { maxBatchedTokens } = scheduler;
  return prefillChunk < inputTokens || maxBatchedTokens >= prefillChunk
    ? []
    : [
        report(
          servingBudgetTooSmall,
          ["workload", "scheduler", "maxBatchedTokens"],
          `a step takes ${maxBatchedTokens} tokens, and a prompt has ${inputTokens}`,
          "raise scheduler.maxBatchedTokens, or cut prompts with workload.prefillChunk",
        ),
      ];
}
