// The plan as the rest of the program sees it: explicit stages of layers, every default filled in,
// whichever of the two ways it was written.

import type { NetworkActivation } from "./activation.ts";
import type { DataSet } from "./data_set.ts";
import type { LatentAttention } from "./layers/attention.ts";
import type {
  AttentionTemperature,
  OtherMixer,
  Positions,
  SparseAttention,
} from "./attention_features.ts";
import type { DeltaHeads } from "./layers/gated_delta.ts";
import type { Layer } from "./layers/layers.ts";
import type { MoeLayer } from "./layers/moe.ts";
import type { Optimizer } from "./optimizer.ts";
import type { Serving } from "./serving.ts";

export type Precision = "f32" | "f16";

export interface Plan {
  readonly name: string;
  readonly hardware: Hardware;
  readonly workload: Workload;
  /** In order of execution. */
  readonly stages: readonly Stage[];
  /** Declared by the plan; what a layer itself needs (its own reduction, say) is not listed. */
  readonly communications: readonly Communication[];
  readonly optimizations: readonly string[];
  readonly claims: Claims;
  /**
   * Paths of values that the plan's source did not give, such as `model.hidden`; a path stands for all that
   * is below it. Keys and indices with dots between them, each path once.
   */
  readonly assumed: readonly string[];
  /** What an import left out or read otherwise; `notesThatBear` says which figures that concerns. */
  readonly notes: readonly PlanNote[];
  /** The degrees the plan was written with; absent for explicit stages. */
  readonly degrees?: Degrees;
  /** The model the degrees were applied to; absent for explicit stages. */
  readonly model?: Model;
}

export interface PlanNote {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly message: string;
}

export interface Hardware {
  /** Logical GPUs, numbered from 0. */
  readonly gpus: number;
  /** Name of the GPU, as `docs/gpus.md` spells it; as written where no GPU has the name. */
  readonly gpu?: string;
  /** Bytes per GPU. */
  readonly memoryPerGpu?: number;
  /** Bytes that a kernel may bind of a buffer: larger weights and caches lie in several. Absent: 128 MiB. */
  readonly maxBinding?: number;
  /** FLOP/s per GPU at the workload's dtype. */
  readonly peakFlops?: number;
  /** Bytes per second of one GPU's memory. */
  readonly memoryBandwidth?: number;
  /** Bytes per second between two GPUs, in one direction. */
  readonly linkBandwidth?: number;
  /** Where each figure is from: "plan", else the name of a datasheet. */
  readonly sources?: Readonly<Partial<Record<HardwareFigure, string>>>;
}

export type HardwareFigure = "memoryPerGpu" | "peakFlops" | "memoryBandwidth" | "linkBandwidth";

export interface Workload {
  readonly mode: "inference" | "training" | "serving";
  /** Samples per step; in serving requests that run at once. */
  readonly batch: number;
  /** Parts the batch is split into; divides `batch`. */
  readonly microBatches: number;
  /** Tokens per sample; 1 where samples are plain vectors. In serving those that a request has cached at its end. */
  readonly sequence: number;
  /** Present where the mode is serving, and in each phase of it. */
  readonly serving?: Serving;
  /** Which steps of serving these are; absent in a plan as it was written. See `phasePlan`. */
  readonly phase?: {
    readonly name: ServingPhase;
    /** Requests that the caches have room for: the batch of the plan as it was written, and its micro-batches. */
    readonly slots: number;
    readonly slotParts: number;
  };
  readonly dtype: Precision;
  /** Seed of weights, inputs, and the order of a data set's samples. */
  readonly seed: number;
  /** Where token ids are read from. Absent: they are hashes of the seed. */
  readonly data?: DataSet;
  /** Order of a pipeline's micro-batches. Absent: forward passes one after the other, also in training. */
  readonly schedule?: ScheduleName;
  /** Activations that are computed again in the backward pass, instead of kept. */
  readonly recompute?: Recompute;
  /** Absent: one kernel. Else scores, their softmax and the values by them go through memory; of whole sequences. */
  readonly attention?: "unfused";
  /** Of training: a step is a forward and a backward pass and an update. Absent: see `schedule`. */
  readonly optimizer?: Optimizer;
}

/** Prefill takes a request's input tokens into the caches, decode one token of each running request. */
export type ServingPhase = "prefill" | "decode";

/** With virtual stages both are interleaved. */
export type ScheduleName = "gpipe" | "1f1b";

export interface Recompute {
  readonly granularity: "full" | "selective";
  /** Of full recomputation: in units of `layers` all through, or of the first `layers` of each stage. */
  readonly method?: "uniform" | "block";
  readonly layers?: number;
}

export interface Degrees {
  readonly tensor: number;
  readonly pipeline: number;
  readonly data: number;
  readonly expert: number;
  /** Layers of each pipeline rank; absent where they are the same number. */
  readonly layersPerStage?: readonly number[];
  /** Chunks of layers per pipeline rank. Absent: 1. */
  readonly virtualStages?: number;
  /** Embedding and LM head are padded to a multiple of it. Absent: where tensor does not divide them. */
  readonly vocabularyMultiple?: number;
  /** Ranks that hold slices of the same experts. Absent: see `expertTensorOf`. */
  readonly expertTensor?: number;
  /**
   * ZeRO stage: what data replicas share out among themselves. 1 optimizer states, 2 gradients too, 3 weights too
   * (FSDP). Absent: not said.
   */
  readonly zero?: 0 | 1 | 2 | 3;
  /**
   * Data ranks that share one copy of what ZeRO shards; divides `data`, and the other data ranks hold further copies
   * (HSDP). Absent: all of them share one.
   */
  readonly dataShard?: number;
  /** Norms and residuals are split over the tensor group, each rank with a part of the tokens. */
  readonly sequence?: boolean;
  /** Ranks that share each sequence. Absent: 1. Counted; of them the first runs. */
  readonly context?: number;
}

/** `mlp` is that of dense and shared networks, `experts` of routed ones. */
export type Bias = "qkv" | "attention-output" | "mlp" | "experts" | "router" | "head";

export interface Model {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly ffn: number;
  readonly gated: boolean;
  readonly causal: boolean;
  readonly norm: "rms" | "layer";
  /** Absent: the model starts from hidden vectors and ends with them. */
  readonly vocabulary?: number;
  readonly moe?: {
    readonly experts: number;
    readonly topK: number;
    readonly ffn: number;
    /** Copies of experts besides, which serving engines place to even out the load. Absent: not said. */
    readonly redundantExperts?: number;
    /** Absent: dropless. */
    readonly capacityFactor?: number;
    /** Weights of the chosen experts are scaled to sum to 1. */
    readonly renormalise: boolean;
    /** The dense MLP is kept before the experts, with a norm of its own. */
    readonly dense: boolean;
    /** Layers that have the dense MLP instead of experts, numbered from 0. */
    readonly denseLayers?: readonly number[];
    /** Inner width of the experts that every token passes, all together. */
    readonly sharedFfn?: number;
    /** A learned weight per token scales the shared experts. */
    readonly sharedGate?: boolean;
    readonly scoring?: MoeLayer["scoring"];
    readonly routingBias?: MoeLayer["routingBias"];
    readonly groupLimit?: MoeLayer["groupLimit"];
    readonly routedScale?: MoeLayer["routedScale"];
    readonly weighsInput?: MoeLayer["weighsInput"];
    readonly auxLossCoeff?: MoeLayer["auxLossCoeff"];
    readonly zLossCoeff?: MoeLayer["zLossCoeff"];
  };
  readonly activation: NetworkActivation;
  readonly positions?: Positions;
  /** The head uses the weights of the embedding. */
  readonly tiedEmbeddings?: boolean;
  /** Linear layers that add a bias; `qkv` is query, key and value. */
  readonly biases?: readonly Bias[];
  /** Queries and keys are normalised: `true` is `head` of `QkNorm`; `l2` its `unweighted`, of layers with positions. */
  readonly qkNorm?: boolean | "each-head" | "all-heads" | "l2";
  /** Of all norms. Absent: 1e-5. */
  readonly normEpsilon?: number;
  /** Of layer norms: whether they have a bias. Absent: they have. */
  readonly normBias?: boolean;
  /** Checkpoints hold the gains of norms less 1. */
  readonly unitOffsetNorms?: boolean;
  /** Results of attention and MLP are normalised before they are added, too or instead of what goes in. */
  readonly postNorms?: boolean | "only";
  /** A norm right behind the embedding. */
  readonly embeddingNorm?: boolean;
  /** Rows of the embedding are multiplied by it. */
  readonly embeddingScale?: number;
  /** What attention and MLP give is multiplied by it before it is added. */
  readonly residualScale?: number;
  /** Logits are multiplied by it. */
  readonly logitScale?: number;
  /** Logits x are cap · tanh(x / cap). */
  readonly logitSoftcap?: number;
  /** Attention and MLP work on the same input, each with a norm or with one between them. */
  readonly parallelResidual?: "own-norms" | "shared-norm";
  /** These layers, or so many of the first, see fewer than so many tokens back. */
  readonly slidingWindow?: {
    readonly tokens: number;
    readonly layers: number | readonly number[];
  };
  /** These layers see the tokens of a chunk of so many. */
  readonly chunkedAttention?: { readonly tokens: number; readonly layers: readonly number[] };
  /** Each head has a learned score that no value belongs to. */
  readonly sinks?: boolean;
  /** Attention's scores become cap · tanh(score / cap). */
  readonly attentionSoftcap?: number;
  /** Of attention's scores. Absent: 1 / √ of the width of a query. */
  readonly attentionScale?: number;
  readonly attentionTemperature?: AttentionTemperature;
  readonly sparseAttention?: SparseAttention;
  /** What attention gives is multiplied by sigmoids of a projection of its input. */
  readonly attentionOutputGate?: boolean;
  readonly latent?: LatentAttention;
  readonly otherMixers?: readonly OtherMixer[];
  /** These layers have the gated delta rule in place of attention. */
  readonly gatedDelta?: DeltaHeads & { readonly layers: readonly number[] };
  /** Parameters beside, that every token passes, by what they are. */
  readonly otherParameters?: Readonly<Record<string, number>>;
  /** Values of a weight that share a scale, along its input and its output: no shard ends within. */
  readonly quantizationBlock?: { readonly input?: number; readonly output?: number };
  /** What the model does besides, in words, such as "sparse-mixer-routing". */
  readonly otherFeatures?: readonly string[];
}

export interface Stage {
  readonly name: string;
  readonly layers: readonly Layer[];
}

export type CommunicationOp =
  | "all-gather"
  | "all-reduce"
  | "reduce-scatter"
  | "all-to-all"
  | "broadcast"
  | "send";

/** Between the last layer of stage `after` and the first layer of the next. */
export interface Communication {
  readonly name: string;
  readonly op: CommunicationOp;
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Index of the stage that it follows. */
  readonly after: number;
  /** Bytes of one micro-batch that it moves in all, as the plan states them. */
  readonly payload?: number;
}

/** What a plan promises; every figure optional. */
export interface Claims {
  /** ms for one layer. */
  readonly latencyPerLayerMs?: number;
  readonly samplesPerSecond?: number;
  readonly tokensPerSecond?: number;
  /** Share of time a GPU is busy, 0 … 1. */
  readonly gpuUtilization?: number;
  /** MFU: share of peak FLOP/s that the model's FLOPs reach, 0 … 1; what is computed again does not count. */
  readonly computeUtilization?: number;
  /** HFU: as `computeUtilization`, with what is computed again in the backward pass. */
  readonly hardwareFlopsUtilization?: number;
  /** Share of `hardware.memoryPerGpu` that is used, 0 … 1. */
  readonly memoryUtilization?: number;
  /** Bytes left per GPU. */
  readonly memoryAvailable?: number;
  readonly strongScaling?: number;
  readonly weakScaling?: number;
  readonly expertsPerGpu?: number;
  /** Variance of experts per GPU. */
  readonly expertVariance?: number;
  readonly tensorGroupSize?: number;
  /** Of a plan that serves: means over requests, and over all gaps between tokens. */
  readonly ttftMs?: number;
  readonly tpotMs?: number;
  readonly itlMs?: number;
  readonly requestsPerSecond?: number;
  readonly outputTokensPerSecond?: number;
  readonly tokensPerSecondPerGpu?: number;
  readonly tokensPerSecondPerUser?: number;
  /** Bytes of all GPUs. */
  readonly kvCacheBytes?: number;
}
