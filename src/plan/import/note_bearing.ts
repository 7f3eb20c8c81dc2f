// What the notes of an import mean for figures: which of them say that work or memory of the source's
// model is missing in the plan, or is another than the source's.

import type { Model, Plan, PlanNote } from "../plan.ts";

/** What a plan's figures cannot speak for, given the note. */
export type Bearing = "none" | "speed" | "memory" | "both";

/**
 * Features of a model by name: `…-left-out` and `…-not-runnable` bear on the same figures. Without weights
 * or activations of its own, a feature bears on speed alone.
 */
const features: Readonly<Record<string, Bearing>> = {
  "rotary-positions": "speed",
  "alibi-positions": "speed",
  "learned-positions": "both",
  biases: "both",
  "qk-norm": "both",
  "post-norms": "both",
  "sliding-window": "both",
  "latent-attention": "both",
  "other-mixer": "both",
  "sparse-attention": "both",
  "redundant-experts": "both",
  "attention-temperature": "speed",
  "scaled-slopes": "speed",
  "clipped-queries-keys-values": "speed",
  "scores-scaled-by-layer": "speed",
  "latent-biases": "both",
  "prediction-layers": "both",
  "norms-of-sums": "speed",
  "token-types": "both",
  "head-transform": "both",
  "residual-behind-norm": "speed",
  "no-last-norm": "both",
  "norms-of-values": "speed",
  "scales-of-layers": "speed",
  "routing-by-square-roots-of-softplus": "speed",
  "clamped-experts": "speed",
  // Of plans that were imported when no layer ran these.
  "parallel-residual": "both",
  "mlp-activation": "speed",
  "shared-experts": "both",
  "routing-bias": "both",
  "sigmoid-routing": "speed",
  "routing-within-groups": "speed",
  "scaled-expert-weights": "speed",
  "partly-rotary-heads": "speed",
  "attention-softcap": "speed",
  "logit-softcap": "speed",
  "embedding-scale": "speed",
  "unit-offset-norm": "speed",
  "embedding-norm": "both",
};

/** Importers write the kind behind these. */
const withoutWeights = /^(?:activation|positions|rotary-scaling)-/;

function bearingOfFeature(name: string): Bearing {
  return (
    (Object.hasOwn(features, name) ? features[name] : undefined) ??
    (withoutWeights.test(name) ? "speed" : "both")
  );
}

/**
 * Features that a model is described with in words (`model.otherFeatures`) and of which nobody here knows what weights
 * they have: they may drop, share or shrink others. Linear attention that no layer runs is counted as attention, whose
 * weights and cache it has not.
 */
export function featuresOfUnknownWeight(
  model: Pick<Model, "otherMixers" | "otherFeatures"> | undefined,
): string[] {
  const unknown = (model?.otherFeatures ?? []).filter(
    (name) => !Object.hasOwn(features, name) && !withoutWeights.test(name),
  );
  const mixers = (model?.otherMixers ?? []).map(({ kind = "linear attention" }) => kind);
  return [...mixers, ...unknown];
}

/** What a plan has no words for, by the name before `-not-expressible`. */
const settings: Readonly<Record<string, Bearing>> = {
  "router-score": "speed",
  "router-groups": "speed",
  "gpu-memory-utilization": "memory",
  "block-size": "memory",
  "swap-space": "speed",
  "enforce-eager": "speed",
  "compilation-config": "speed",
  "rope-scaling": "speed",
  "use-rope-scaling": "speed",
  "data-parallel-size-local": "speed",
  "disable-custom-all-reduce": "speed",
  "async-scheduling": "speed",
  "apply-layernorm-1p": "speed",
};

/** Remarks on what was read; whatever they name is in the plan, or changes nothing. */
const remarks: Readonly<Record<string, Bearing>> = {
  "bf16-as-f16": "none",
  "keys-without-bearing": "none",
  "flags-without-bearing": "none",
  "flag-given-twice": "none",
  "vocabulary-padded": "none",
  "launcher-options": "none",
  "defaults-taken": "none",
  "started-under-condition": "none",
  "set-without-use": "none",
  "flag-without-effect": "none",
  "expert-degree-without-experts": "none",
  "sequence-parallel-without-tensor": "none",
  "class-defaults": "none",
  "sizes-of-flavor": "none",
  "config-named": "both",
  "batch-from-limit": "both",
  "vocabulary-not-given": "both",
};

/** Of codes that no table knows it is not known that they change nothing. */
export function bearingOf(code: string): Bearing {
  const [, feature] = /^(.+)-(?:left-out|not-runnable)$/.exec(code) ?? [];
  if (feature !== undefined) return bearingOfFeature(feature);
  const [, setting] = /^(.+)-not-expressible$/.exec(code) ?? [];
  const [table, name] = setting === undefined ? [remarks, code] : [settings, setting];
  return (Object.hasOwn(table, name) ? table[name] : undefined) ?? "both";
}

/** What a plan with blocks of quantized weights says, whoever wrote it. */
const quantized: PlanNote = {
  code: "quantization-not-expressible",
  message: "weights are quantized; the plan counts them at the workload's dtype",
};

/** The notes for whose sake the plan's speed, or memory, is not that of its source. */
export function notesThatBear(
  { notes, model }: Pick<Plan, "notes" | "model">,
  on: "speed" | "memory",
): readonly PlanNote[] {
  const isUnsaid =
    model?.quantizationBlock !== undefined && !notes.some(({ code }) => code === quantized.code);
  return [...notes, ...(isUnsaid ? [quantized] : [])].filter(({ code }) => {
    const bearing = bearingOf(code);
    return bearing === on || bearing === "both";
  });
}
