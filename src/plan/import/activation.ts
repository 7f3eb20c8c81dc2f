// Names of activations, as tools write them, in the plan's words.

import type { NetworkActivation } from "../activation.ts";
import type { ModelFile } from "../schema_model.ts";

/** In transformers `gelu` is the exact one, and all that have more of a name but `python` are its tanh form. */
const named: Readonly<Record<string, NetworkActivation>> = {
  silu: "silu",
  swish: "silu",
  swiglu: "silu",
  gelu: "gelu-erf",
  gelu_python: "gelu-erf",
  geglu: "gelu",
  gelu_accurate: "gelu",
  gelu_fast: "gelu",
  gelu_new: "gelu",
  gelu_pytorch_tanh: "gelu",
  quick_gelu: "quick-gelu",
  relu: "relu",
  relu2: "relu2",
  squared_relu: "relu2",
};

/** Nothing where it is what an MLP of that kind has anyway; in words where it is none of ours. */
export function importedActivation(
  name: string,
  gated: boolean,
): Pick<ModelFile, "activation" | "otherFeatures"> {
  const activation = Object.hasOwn(named, name) ? named[name] : undefined;
  if (activation === undefined) return { otherFeatures: [`activation-${name.slice(0, 40)}`] };
  return activation === (gated ? "silu" : "gelu") ? {} : { activation };
}
