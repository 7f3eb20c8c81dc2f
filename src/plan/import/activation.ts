// Names of activations, as tools write them, in the plan's words.

import type { ModelFile } from "../schema_model.ts";

const plain: Readonly<Record<string, "gelu" | "silu" | "relu">> = {
  silu: "silu",
  swish: "silu",
  swiglu: "silu",
  gelu: "gelu",
  geglu: "gelu",
  gelu_new: "gelu",
  gelu_fast: "gelu",
  gelu_pytorch_tanh: "gelu",
  relu: "relu",
};

/** Nothing where it is what an MLP of that kind has anyway; in words where it is none of ours. */
export function importedActivation(
  name: string,
  gated: boolean,
): Pick<ModelFile, "activation" | "otherFeatures"> {
  const activation = Object.hasOwn(plain, name) ? plain[name] : undefined;
  if (activation === undefined) return { otherFeatures: [`activation-${name.slice(0, 40)}`] };
  return activation === (gated ? "silu" : "gelu") ? {} : { activation };
}
