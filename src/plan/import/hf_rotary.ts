// Rotary positions in a config.json: base, share of a head and scaling, under the names that they have had over the years.

import type { RotaryScaling } from "../layers/rotary.ts";
import type { ModelFile } from "../schema_model.ts";
import { type ImportedFields, isObject } from "./fields.ts";

/** What a model type does where its config is silent. */
export interface RotaryDefaults {
  readonly base?: number;
  /** Of each head, that is turned. Absent: 1. */
  readonly share?: number;
  readonly interleaved?: boolean;
}

export interface ReadPositions {
  readonly positions: NonNullable<ModelFile["positions"]>;
  /** Mistral lets queries grow with positions past the original ones. */
  readonly temperature?: NonNullable<ModelFile["attentionTemperature"]>;
  /** Scalings that no layer does, in words. */
  readonly features: readonly string[];
}

type Parameters = Readonly<Record<string, unknown>>;

export function rotaryPositions(
  fields: ImportedFields,
  headDim: number,
  defaults: RotaryDefaults,
): ReadPositions {
  const { global, local } = parametersOf(fields);
  const older = fields.number("rotary_emb_base");
  const base =
    positiveIn(global, "rope_theta") ?? fields.number("rope_theta") ?? older ?? defaults.base;
  const turned = dimsOf(fields, headDim, global, defaults.share ?? 1);
  const dims = turned < headDim ? turned : undefined;
  const { scaling, features } = scalingOf(fields, global, turned);
  const temperature = temperatureOf(fields, global);
  const ofLocal = positiveIn(local, "rope_theta");
  const written = fields.number("rope_local_base_freq");
  const localBase = local === undefined ? written : (ofLocal ?? written ?? base);
  return {
    positions: {
      kind: "rotary",
      ...(base === undefined ? {} : { base }),
      ...(dims === undefined ? {} : { dims }),
      ...(defaults.interleaved === true ? { interleaved: true } : {}),
      ...(scaling === undefined ? {} : { scaling }),
      ...(localBase === undefined ? {} : { localBase }),
    },
    ...(temperature === undefined ? {} : { temperature }),
    features,
  };
}

function positiveIn(parameters: Parameters | undefined, key: string): number | undefined {
  const value = parameters?.[key];
  return typeof value === "number" && value > 0 && value < Infinity ? value : undefined;
}

/** One set for all layers, or of those that see everything and of those with a window. */
function parametersOf(fields: ImportedFields): {
  readonly global: Parameters;
  readonly local?: Parameters;
} {
  const value = fields.value("rope_parameters");
  if (!isObject(value)) return { global: {} };
  const { full_attention: full, sliding_attention: sliding } = value;
  if (!isObject(full)) return { global: value };
  return { global: full, ...(isObject(sliding) ? { local: sliding } : {}) };
}

function dimsOf(
  fields: ImportedFields,
  headDim: number,
  parameters: Parameters,
  usual: number,
): number {
  const written = fields.number("partial_rotary_factor") ?? fields.number("rotary_pct");
  const share = positiveIn(parameters, "partial_rotary_factor") ?? written;
  const counted = fields.number("rotary_dim");
  const dims = share === undefined ? (counted ?? headDim * usual) : headDim * share;
  // Pairs are whole.
  return Math.max(2, 2 * Math.floor(Math.floor(Math.min(dims, headDim)) / 2));
}

function scalingOf(
  fields: ImportedFields,
  parameters: Parameters,
  dims: number,
): { readonly scaling?: ScalingFile; readonly features: readonly string[] } {
  const written = fields.value("rope_scaling");
  const own = isObject(written) ? written : parameters;
  const original = fields.number("original_max_position_embeddings");
  const kind = own["rope_type"] ?? own["type"] ?? (own === written ? "unnamed" : "default");
  // Positions of texts are the same in all three of its sections.
  if (kind === "default" || kind === "mrope") return { features: [] };
  const most = Number(fields.peek("max_position_embeddings"));
  const trained = positiveIn(own, "original_max_position_embeddings") ?? original;
  const scaling = readScaling(kind, own, most, trained);
  const fitting = scaling?.kind === "longrope" ? withFactorOfEach(scaling, dims / 2) : scaling;
  if (fitting !== undefined) return { scaling: fitting, features: [] };
  const name = typeof kind === "string" ? kind.slice(0, 40) : "unnamed";
  return { features: [`rotary-scaling-${name}`] };
}

/** Lists of one factor stand for that of every pair, as tensors of one number do; of other lengths there is no reading. */
function withFactorOfEach(
  scaling: Extract<ScalingFile, { kind: "longrope" }>,
  pairs: number,
): ScalingFile | undefined {
  const { shortFactors, longFactors } = scaling;
  const ofEach = (own: number[]): number[] =>
    own.length === 1 ? Array.from({ length: pairs }, () => own[0] ?? 1) : own;
  const [short, long] = [ofEach(shortFactors), ofEach(longFactors)];
  const isWhole = short.length === pairs && long.length === pairs;
  return isWhole ? { ...scaling, shortFactors: short, longFactors: long } : undefined;
}

function temperatureOf(
  fields: ImportedFields,
  parameters: Parameters,
): ReadPositions["temperature"] {
  const written = fields.peek("rope_scaling");
  const own = isObject(written) ? written : parameters;
  const scale = positiveIn(own, "llama_4_scaling_beta");
  const interval = positiveIn(own, "original_max_position_embeddings");
  return scale === undefined || interval === undefined ? undefined : { scale, interval };
}

type ScalingFile = NonNullable<NonNullable<ModelFile["positions"]>["scaling"]>;

/**
 * Undefined where the layers here do not know it, or a number is missing.
 *
 * @param most positions that the config names
 * @param trained positions before scaling, where it names them
 */
function readScaling(
  kind: unknown,
  own: Parameters,
  most: number,
  trained: number | undefined,
): ScalingFile | undefined {
  const number = (key: string) => positiveIn(own, key);
  const originalPositions = trained ?? most;
  const factor = number("factor") ?? (trained === undefined ? undefined : most / trained);
  if (kind === "linear" && factor !== undefined) return { kind, factor };
  if (!(originalPositions >= 1)) return undefined;
  if (kind === "longrope" || kind === "su") return longOf(own, most, trained);
  if (factor === undefined) return undefined;
  switch (kind) {
    case "dynamic":
      return own["alpha"] === undefined ? { kind, factor, originalPositions } : undefined;
    case "yarn": {
      const [betaFast, betaSlow] = [number("beta_fast"), number("beta_slow")];
      const attentionFactor = number("attention_factor") ?? factorOfScales(own, factor);
      return {
        kind,
        factor,
        originalPositions,
        ...(betaFast === undefined ? {} : { betaFast }),
        ...(betaSlow === undefined ? {} : { betaSlow }),
        ...(own["truncate"] === false ? { truncate: false } : {}),
        ...(attentionFactor === undefined ? {} : { attentionFactor }),
      };
    }
    case "llama3": {
      const [low, high] = [number("low_freq_factor"), number("high_freq_factor")];
      return low === undefined || high === undefined
        ? undefined
        : { kind, factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalPositions };
    }
    default:
      return undefined;
  }
}

/** What YaRN multiplies cosines and sines with, by a scale of the logarithm. */
export function yarnMagnitude(factor: number, scale: number): number {
  return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
}

/** DeepSeek divides it by that of all dimensions, which it gives to the scores instead. */
function factorOfScales(own: Parameters, factor: number): number | undefined {
  const [scale, ofAll] = [positiveIn(own, "mscale"), positiveIn(own, "mscale_all_dim")];
  return scale === undefined || ofAll === undefined
    ? undefined
    : yarnMagnitude(factor, scale) / yarnMagnitude(factor, ofAll);
}

function longOf(
  own: Parameters,
  most: number,
  trained: number | undefined,
): (Extract<RotaryScaling, { kind: "longrope" }> & ScalingFile) | undefined {
  const list = (key: string): number[] | undefined => {
    const value = own[key];
    const isList = Array.isArray(value) && value.every((each) => typeof each === "number");
    return isList ? value : undefined;
  };
  const [shortFactors, longFactors] = [list("short_factor"), list("long_factor")];
  if (shortFactors === undefined || longFactors === undefined) return undefined;
  const originalPositions = trained ?? most;
  const factor = trained === undefined ? (positiveIn(own, "factor") ?? 1) : most / trained;
  const usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalPositions));
  const [ofShort, ofLong] = [positiveIn(own, "short_mscale"), positiveIn(own, "long_mscale")];
  // One factor stands for both.
  if (ofShort !== ofLong) return undefined;
  const attentionFactor = positiveIn(own, "attention_factor") ?? ofLong ?? usual;
  return { kind: "longrope", shortFactors, longFactors, originalPositions, attentionFactor };
}

/** A scaling that DeepSeek gives to scores, as a factor of them. */
export function scoreFactor(fields: ImportedFields): number {
  const own = fields.peek("rope_scaling") ?? fields.peek("rope_parameters");
  if (!isObject(own)) return 1;
  const [factor, ofAll] = [positiveIn(own, "factor"), positiveIn(own, "mscale_all_dim")];
  return factor === undefined || ofAll === undefined ? 1 : yarnMagnitude(factor, ofAll) ** 2;
}
