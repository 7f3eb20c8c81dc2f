// What a model is described with and no layer here runs. Such a plan is counted and drawn as far as it goes.

import type { Path } from "./document.ts";
import type { OtherMixer } from "./attention_features.ts";
import type { Model } from "./plan.ts";

export interface Feature {
  /** Stable, kebab-case. */
  readonly name: string;
  /** Below `model`. */
  readonly path: Path;
  readonly what: string;
}

/**
 * What of a model's description no layer does yet.
 *
 * @param sequence tokens of each sample: a choice among as many tokens as there are chooses all
 */
export function featuresBeyondLayers(model: Model, sequence: number): Feature[] {
  const { positions, moe, sparseAttention, otherFeatures } = model;
  const isOpen =
    positions?.kind === "learned" &&
    (positions.count === undefined || model.vocabulary === undefined);
  const when = (condition: boolean, name: string, path: Path, what: string): Feature[] =>
    condition ? [{ name, path, what }] : [];
  return [
    ...when(
      isOpen,
      "learned-positions",
      ["positions"],
      "learned position embeddings of unknown number, or without an embedding",
    ),
    ...when(
      model.parallelResidual !== undefined && (model.postNorms ?? false) !== false,
      "post-norms",
      ["postNorms"],
      "norms after attention and MLP that stand side by side",
    ),
    ...(model.otherMixers ?? []).map((mixer, i) => ({
      name: "other-mixer",
      path: ["otherMixers", i],
      what: described(mixer),
    })),
    ...when(
      sparseAttention !== undefined && sparseAttention.topK < sequence,
      "sparse-attention",
      ["sparseAttention"],
      `an indexer that chooses ${sparseAttention?.topK} of ${sequence} tokens to attend to`,
    ),
    ...when(
      moe?.redundantExperts !== undefined && moe.redundantExperts > 0,
      "redundant-experts",
      ["moe", "redundantExperts"],
      "copies of experts",
    ),
    ...(otherFeatures ?? []).map((name, i) => ({
      name,
      path: ["otherFeatures", i],
      what: JSON.stringify(name),
    })),
  ];
}

/** By the numbers of its layers, where they are known. */
function described({ kind = "linear attention", layers }: OtherMixer): string {
  if (typeof layers === "number") return `${kind} in ${layers} layers`;
  return `${kind} in ${layers.length} layers: ${runsOf(layers).join(", ")}`;
}

/** Numbers in a row as the first and the last. */
function runsOf(numbers: readonly number[]): string[] {
  const firsts = numbers.filter((each) => !numbers.includes(each - 1));
  const lasts = numbers.filter((each) => !numbers.includes(each + 1));
  return firsts.map((first, i) => (first === lasts[i] ? `${first}` : `${first}–${lasts[i]}`));
}
