// The params.json of Mistral's and Meta's own releases: a model, in names of their own.

import type { ModelFile } from "../schema_model.ts";
import { type ImportedFields, readFields } from "./fields.ts";
import { listUnreadKeys } from "./list_keys.ts";
import { type Imported, modelNotUnderstood, otherModel, shown, type Source } from "./note.ts";

export function importParamsJson(source: Source): Imported {
  const base = {
    kind: "params",
    source: source.name,
    layout: {},
    optimizations: [],
    assumed: [],
  } as const;
  const { fields, diagnostics } = readFields(source);
  if (fields === undefined) return { ...base, workload: {}, diagnostics };
  const model = modelOf(fields);
  const maxSequence = fields.count("max_seq_len") ?? fields.count("max_position_embeddings");
  listTheRest(fields);
  return {
    ...base,
    ...(model === undefined ? {} : { model, family: `params-${model.layers}x${model.hidden}` }),
    featurePosition: () => fields.position(["dim"]),
    workload: maxSequence === undefined ? {} : { maxSequence },
    diagnostics: fields.diagnostics,
  };
}

function modelOf(fields: ImportedFields): ModelFile | undefined {
  const hidden = fields.needed("dim");
  const layers = fields.needed("n_layers");
  const heads = fields.needed("n_heads");
  const kvHeads = fields.count("n_kv_heads") ?? heads;
  const headDim = fields.count("head_dim");
  // Meta's early releases leave it to the tokenizer, and write −1.
  const written = fields.peek("vocab_size") === -1 ? undefined : fields.count("vocab_size");
  if (written === undefined) {
    const message =
      "the tokenizer decides on the vocabulary; the plan's model starts from hidden vectors";
    const hint = "write the tokenizer's count as vocab_size";
    fields.report("warning", "vocabulary-not-given", message, ["vocab_size"], hint);
    fields.value("vocab_size");
  }
  if (hidden === undefined || layers === undefined || heads === undefined) return undefined;
  const ffn = fields.count("hidden_dim") ?? metaFfn(fields, hidden);
  const experts = fields.count("moe", "num_experts");
  const topK = fields.count("moe", "num_experts_per_tok");
  const window = fields.count("sliding_window");
  const tied = fields.value("tied_embeddings") === true;
  const epsilon = fields.number("norm_eps");
  return {
    layers,
    hidden,
    heads,
    ...(kvHeads === undefined ? {} : { kvHeads }),
    ...(headDim === undefined ? {} : { headDim }),
    ffn,
    gated: true,
    norm: "rms",
    ...(epsilon === undefined || epsilon <= 0 || epsilon === 1e-5 ? {} : { normEpsilon: epsilon }),
    ...(written === undefined ? {} : { vocabulary: written }),
    ...(tied ? { tiedEmbeddings: true } : {}),
    ...(fields.value("causal") === false ? { causal: false } : {}),
    positions: positionsOf(fields),
    ...(window === undefined ? {} : { slidingWindow: { tokens: window, layers } }),
    ...(experts === undefined ? {} : { moe: { experts, topK: topK ?? 2, ffn, renormalise: true } }),
  };
}

/** Neighbors of a head are pairs. Meta's scaling is a switch with defaults, Mistral's is YaRN. */
function positionsOf(fields: ImportedFields): NonNullable<ModelFile["positions"]> {
  const base = fields.number("rope_theta");
  const scaling = fields.value("use_scaled_rope") === true ? metaScaling(fields) : yarnOf(fields);
  return {
    kind: "rotary",
    ...(base === undefined ? {} : { base }),
    interleaved: true,
    ...(scaling === undefined ? {} : { scaling }),
  };
}

type Scaling = NonNullable<ModelFile["positions"]>["scaling"];

function metaScaling(fields: ImportedFields): Scaling {
  return {
    kind: "llama3",
    factor: fields.number("rope_scaling_factor") ?? 8,
    lowFrequencyFactor: 1,
    highFrequencyFactor: fields.number("high_freq_factor") ?? 4,
    originalPositions: 8192,
  };
}

function yarnOf(fields: ImportedFields): Scaling | undefined {
  const factor = fields.number("yarn", "factor");
  const originalPositions = fields.count("yarn", "original_max_position_embeddings");
  const betaFast = fields.number("yarn", "beta");
  const betaSlow = fields.number("yarn", "alpha");
  const isScaled = fields.value("yarn", "apply_scale") !== false;
  if (factor === undefined || originalPositions === undefined) return undefined;
  return {
    kind: "yarn",
    factor,
    originalPositions,
    ...(betaFast === undefined ? {} : { betaFast }),
    ...(betaSlow === undefined ? {} : { betaSlow }),
    ...(isScaled ? {} : { attentionFactor: 1 }),
  };
}

/** Two thirds of four times hidden, scaled, in multiples of a number. */
function metaFfn(fields: ImportedFields, hidden: number): number {
  const multiple = fields.count("multiple_of") ?? 256;
  const factor = fields.number("ffn_dim_multiplier") ?? 1;
  const width = Math.floor(factor * Math.floor((2 * 4 * hidden) / 3));
  return Math.max(multiple, multiple * Math.ceil(width / multiple));
}

const withoutBearing = /^(use_scaled_rope|max_batch_size|model_parallel)(\.|$)/;

function listTheRest(fields: ImportedFields): void {
  for (const key of fields.unread()) {
    if (withoutBearing.test(key) || fields.peek(...key.split(".")) === false) continue;
    fields.value(...key.split("."));
    fields.report("warning", modelNotUnderstood, otherModel(`the key ${shown(key)}`), [key]);
  }
  listUnreadKeys(fields, withoutBearing);
}
