// A Hugging Face config.json: which family it is of, what it says of the model, and what else it says.

import type { Path } from "../document.ts";
import { shortDtype } from "../dtype_names.ts";
import type { ModelFile } from "../schema_model.ts";
import { suggest } from "../suggestion.ts";
import { type ImportedFields, isObject, readFields } from "./fields.ts";
import { classDefaults } from "./hf_class_defaults.ts";
import { families } from "./hf_families.ts";
import { isOtherPart, isSwitchedOff, isWithoutBearing } from "./hf_keys.ts";
import {
  type Imported,
  type ImportedWorkload,
  modelNotUnderstood,
  otherModel,
  shown,
  type Source,
} from "./note.ts";

export function importHuggingFace(source: Source): Imported {
  const nothing = { kind: "huggingface", source: source.name, layout: {}, workload: {} } as const;
  const { fields: root, diagnostics } = readFields(source);
  if (root === undefined) return { ...nothing, optimizations: [], assumed: [], diagnostics };
  const place = languageModel(root);
  const type = familyOf(root, place);
  const { defaults = {}, alsoAlone = false } = families[type ?? ""] ?? {};
  const isPart = place.length > 0;
  const fields = root.within(place, {
    ...classDefaults[type ?? ""],
    ...(isPart ? sharedWithRoot(root) : {}),
    ...(isPart || alsoAlone ? defaults : {}),
  });
  const described = type === undefined ? undefined : families[type]?.read(fields);
  const model = described && { ...described, ...quantizationOf(root, fields) };
  const workload = type === undefined ? {} : workloadOf(fields);
  const name = root.text("_name_or_path") ?? fields.text("_name_or_path");
  if (type !== undefined) listTheRest(root, fields, place);
  return {
    ...nothing,
    ...(name === undefined || name === "" ? {} : { name }),
    ...(type === undefined ? {} : { family: type }),
    ...(model === undefined ? {} : { model }),
    featurePosition: (feature) => fields.position(keyOfFeature(fields, feature)),
    workload,
    optimizations: [],
    assumed: [],
    diagnostics: root.diagnostics,
  };
}

/** Objects that hold the language model of a larger one. */
const nests: readonly Path[] = [
  ["text_config"],
  ["llm_config"],
  ["language_config"],
  ["thinker_config", "text_config"],
];

/** Where the language model stands: at the top, or in an object of its own. */
function languageModel(root: ImportedFields): Path {
  return (
    nests.find(
      (path) => isObject(root.peek(...path)) && !isObject(root.peek("num_hidden_layers")),
    ) ?? []
  );
}

/** Of the whole model, unless its part says otherwise. */
function sharedWithRoot(root: ImportedFields): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    ["tie_word_embeddings", "torch_dtype", "dtype"].flatMap((key) => {
      const value = root.peek(key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function familyOf(root: ImportedFields, place: Path): string | undefined {
  const within = place.length === 0 ? root : root.within(place);
  const type = within.text("model_type") ?? root.text("model_type");
  const architecture = within.value("architectures", 0) ?? root.value("architectures", 0);
  root.value("model_type");
  root.value("architectures");
  if (type !== undefined && Object.hasOwn(families, type)) return type;
  const byClass = Object.keys(families).find((key) => families[key]?.architecture === architecture);
  if (byClass !== undefined) return byClass;
  const known = Object.keys(families);
  const found = type ?? architecture;
  if (found === undefined) {
    const hint = `give it: ${known.join(", ")}`;
    within.report("error", "missing-key", "model_type is missing", ["model_type"], hint);
    return undefined;
  }
  const near = suggest(typeof found === "string" ? found : "", known);
  within.report(
    "error",
    "unknown-architecture",
    `no importer knows the model type ${shown(found)}`,
    type === undefined ? ["architectures", 0] : ["model_type"],
    near === undefined
      ? `known are ${known.join(", ")}`
      : `did you mean ${near}? Known are ${known.join(", ")}`,
  );
  return undefined;
}

function workloadOf(fields: ImportedFields): ImportedWorkload {
  const older = fields.text("torch_dtype");
  const dtype = fields.text("dtype") ?? older;
  const key = fields.value("dtype") === undefined ? "torch_dtype" : "dtype";
  const maxSequence = fields.count("max_position_embeddings") ?? fields.count("n_positions");
  const short = dtype === undefined ? undefined : shortDtype(dtype);
  if (dtype !== undefined && short === undefined) {
    const message = `weights of type ${shown(dtype)} have no place in a plan`;
    fields.report("warning", "dtype-not-expressible", message, [key]);
  }
  // What is narrower than plans know takes the place of two bytes.
  return {
    ...(dtype === undefined ? {} : { dtype: short ?? "f16" }),
    ...(maxSequence === undefined ? {} : { maxSequence }),
  };
}

/** Quantized weights: of the shards' sizes the blocks decide; the bits have no place in a plan. */
function quantizationOf(
  root: ImportedFields,
  fields: ImportedFields,
): Pick<ModelFile, "quantizationBlock"> {
  const owner = [fields, root].find((each) => each.peek("quantization_config") !== undefined);
  if (owner === undefined) return {};
  const method = owner.value("quantization_config", "quant_method");
  const block = owner.value("quantization_config", "weight_block_size");
  const group = owner.value("quantization_config", "group_size");
  owner.value("quantization_config");
  owner.report(
    "warning",
    "quantization-not-expressible",
    `weights are quantized (${shown(method)}); the plan counts them at the workload's dtype`,
    ["quantization_config"],
  );
  const size = (value: unknown): number | undefined =>
    typeof value === "number" && Number.isInteger(value) && value > 0 ? value : undefined;
  const [output, input] = Array.isArray(block)
    ? [size(block[0]), size(block[1])]
    : [undefined, size(group)];
  if (input === undefined && output === undefined) return {};
  return {
    quantizationBlock: {
      ...(input === undefined ? {} : { input }),
      ...(output === undefined ? {} : { output }),
    },
  };
}

function listTheRest(root: ImportedFields, fields: ImportedFields, place: Path): void {
  const defaulted = fields.defaulted().filter((key) => root.peek(key) === undefined);
  if (defaulted.length > 0) {
    const given = defaulted.map((key) => `${key} ${shown(fields.peek(key))}`).join(", ");
    const message = `the file leaves these to its class, whose values count: ${given}`;
    root.report("info", "class-defaults", message, []);
  }
  const inside = `${place.join(".")}.`;
  const beside = place.length === 0 ? [] : root.unread().filter((key) => !key.startsWith(inside));
  const rest = [...new Set([...fields.unread(), ...beside])];
  const own = (key: string) => (fields.peek(key) === undefined ? root : fields);
  const others = rest.filter((key) => isOtherPart(key));
  const silent = rest.filter((key) => isWithoutBearing(key) || isSwitchedOff(own(key).peek(key)));
  if (silent.length > 0) {
    const message = `these keys change neither sizes nor work: ${silent.join(", ")}`;
    root.report("info", "keys-without-bearing", message, []);
  }
  const configs = others.filter((key) => isObject(root.peek(key)));
  if (configs.length > 0) {
    const message = `the plan is that of the language model: ${configs.join(", ")} and its parameters are not in it`;
    root.report("warning", "other-parts-not-expressible", message, [configs[0] ?? ""]);
  }
  const unknown = rest.filter((key) => !silent.includes(key) && !others.includes(key));
  for (const key of unknown) {
    own(key).report("warning", modelNotUnderstood, otherModel(`the key ${shown(key)}`), [key]);
  }
}

/** The key that a feature comes from; the whole file where a model type has it without being told. */
function keyOfFeature(fields: ImportedFields, feature: string): Path {
  const keys =
    featureKeys[feature] ??
    (feature.startsWith("rotary-scaling") ? ["rope_scaling", "rope_parameters"] : []);
  return [[...keys, "model_type"].find((key) => fields.peek(key) !== undefined) ?? ""];
}

const featureKeys: Readonly<Record<string, readonly string[]>> = {
  "learned-positions": ["n_positions", "n_ctx"],
  biases: ["attention_bias"],
  "other-mixer": ["layer_types", "layers_block_type", "linear_attn_config", "attn_layer_period"],
};
