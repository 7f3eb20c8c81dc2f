// The shape of a plan's model. Beside what runs here, it takes what public models have and our layers
// cannot do yet, so that their parameters and memory are counted as they are; a rule refuses to run those.

import { z } from "zod";
import { activations } from "./activation.ts";
import { routingFields } from "./layers/moe.ts";
import { latentFile, temperatureFile } from "./layers/attention.ts";
import { deltaHeadsFile } from "./layers/gated_delta.ts";
import { rotaryFile } from "./layers/rotary.ts";
import { count } from "./schema_numbers.ts";

/** Layers are numbered from 0. */
const layerIndex = z.int().nonnegative().max(9_999);

const moe = z.strictObject({
  experts: count,
  topK: count.exactOptional(),
  ffn: count.exactOptional(),
  /** Copies of experts that a serving engine places besides. */
  redundantExperts: z.int().nonnegative().max(100_000).exactOptional(),
  capacityFactor: z.number().positive().exactOptional(),
  renormalise: z.boolean().exactOptional(),
  dense: z.boolean().exactOptional(),
  denseLayers: z.array(layerIndex).max(10_000).exactOptional(),
  sharedFfn: count.exactOptional(),
  sharedGate: z.boolean().exactOptional(),
  ...routingFields,
});

/** Layers with it in place of attention, or how many; the parameters of one of them; what it is, such as Mamba-2. */
const otherMixer = z.strictObject({
  layers: z.union([count.max(10_000), z.array(layerIndex).max(10_000)]),
  parameters: z.int().positive().max(1e12),
  kind: z.string().min(1).max(60).exactOptional(),
});

/** Values of a weight that share a scale, along its input and its output. */
const quantizationBlock = z.strictObject({
  input: count.exactOptional(),
  output: count.exactOptional(),
});

const layerList = z.array(layerIndex).max(10_000);

const positions = z.strictObject({
  kind: z.enum(["rotary", "learned", "alibi"]),
  /** Rows of the learned table. */
  count: count.exactOptional(),
  /** Of the learned table: the row of the first token. */
  offset: z.int().nonnegative().max(10_000).exactOptional(),
  ...rotaryFile.shape,
  layersWithout: layerList.exactOptional(),
  /** Of layers with a sliding window, whose positions are not scaled. */
  localBase: z.number().positive().exactOptional(),
});

export const modelSchema = z.strictObject({
  layers: count.max(10_000),
  hidden: count,
  heads: count,
  kvHeads: count.exactOptional(),
  headDim: count.exactOptional(),
  ffn: count.exactOptional(),
  gated: z.boolean().exactOptional(),
  activation: z.enum(activations).exactOptional(),
  causal: z.boolean().exactOptional(),
  norm: z.enum(["rms", "layer"]).exactOptional(),
  vocabulary: count.exactOptional(),
  moe: moe.exactOptional(),
  positions: positions.exactOptional(),
  tiedEmbeddings: z.boolean().exactOptional(),
  biases: z
    .array(z.enum(["qkv", "attention-output", "mlp", "experts", "router", "head"]))
    .exactOptional(),
  qkNorm: z.union([z.boolean(), z.enum(["each-head", "all-heads", "l2"])]).exactOptional(),
  normEpsilon: z.number().positive().exactOptional(),
  normBias: z.boolean().exactOptional(),
  unitOffsetNorms: z.boolean().exactOptional(),
  /** `only`: instead of those before attention and MLP. */
  postNorms: z.union([z.boolean(), z.literal("only")]).exactOptional(),
  embeddingNorm: z.boolean().exactOptional(),
  embeddingScale: z.number().positive().exactOptional(),
  residualScale: z.number().positive().exactOptional(),
  logitScale: z.number().positive().exactOptional(),
  logitSoftcap: z.number().positive().exactOptional(),
  parallelResidual: z.enum(["own-norms", "shared-norm"]).exactOptional(),
  slidingWindow: z
    .strictObject({ tokens: count, layers: z.union([count.max(10_000), layerList]) })
    .exactOptional(),
  chunkedAttention: z.strictObject({ tokens: count, layers: layerList }).exactOptional(),
  /** Of all layers, or of those without positions. */
  attentionTemperature: temperatureFile
    .extend({ layers: z.literal("without-positions").exactOptional() })
    .exactOptional(),
  sinks: z.boolean().exactOptional(),
  attentionSoftcap: z.number().positive().exactOptional(),
  attentionScale: z.number().positive().exactOptional(),
  sparseAttention: z.strictObject({ heads: count, headDim: count, topK: count }).exactOptional(),
  attentionOutputGate: z.boolean().exactOptional(),
  latent: latentFile.exactOptional(),
  /** No layer is in two of them. */
  otherMixers: z.array(otherMixer).min(1).max(20).exactOptional(),
  gatedDelta: deltaHeadsFile.extend({ layers: layerList }).exactOptional(),
  /** Parameters beside, that every token passes, by what they are. */
  otherParameters: z.record(z.string(), z.int().positive().max(1e14)).exactOptional(),
  quantizationBlock: quantizationBlock.exactOptional(),
  otherFeatures: z.array(z.string().min(1)).exactOptional(),
});

export type ModelFile = z.infer<typeof modelSchema>;
