// The one table of claims: what each means, how it is computed, and when it counts as kept. Verdicts, the check, the
// command `claims` and the documentation read it.

import type { Figure, Unit } from "../measure/figure.ts";
import type { Metrics } from "../measure/metrics.ts";
import type { Claims } from "../plan/plan.ts";

/** Published figures are rounded: what differs by less was rounded. */
export const ROUNDING = 0.005;
/** A bound is exceeded by more than rounding and clocks explain. */
export const BOUND_TOLERANCE = 0.02;
/** Of bounds from a datasheet: cards boost above it, and drivers report up to 7 % more memory. */
export const DATASHEET_TOLERANCE = 0.1;
/** Two programs of one plan differ by alignment and workspace. */
export const MEMORY_TOLERANCE = 0.05;

export type ClaimKey = keyof Claims;

/** What decides a claim: a run's speed, the memory that the plan needs, its split, or a run on one GPU. */
export type ClaimKind = "speed" | "memory" | "split" | "scaling";

export interface ClaimDefinition {
  readonly key: ClaimKey;
  readonly label: string;
  readonly unit: Unit;
  readonly kind: ClaimKind;
  readonly definition: string;
  readonly formula: string;
  /** On which side of the claimed value the promise is kept. */
  readonly promise: "at least" | "at most" | "exactly";
  /** Relative. */
  readonly tolerance: number;
  /** What it is held against. */
  readonly against: string;
  /** Of a run; only where a run decides it. */
  readonly found?: (metrics: Metrics) => Figure | undefined;
  /** Of a share of a peak: the FLOP/s of all GPUs that it is made of. */
  readonly flopsRate?: (metrics: Metrics) => Figure | undefined;
}

/** A run decides by its interval alone. */
const speed = { kind: "speed", promise: "at least", tolerance: 0 } as const;

const served = { ...speed, against: "rounds over all requests" } as const;

/** In the order of reports. */
export const claimTable: readonly ClaimDefinition[] = [
  {
    ...speed,
    key: "latencyPerLayerMs",
    label: "latency per layer",
    unit: "ms",
    promise: "at most",
    definition: "time of one micro-batch in one transformer block, in training of its forward pass",
    formula:
      "sum over a block's layers of the time from first work to last, over all ranks; embedding, head and layers without work never count",
    against: "one micro-batch through one transformer block",
    found: ({ layerMs }) => layerMs,
  },
  {
    ...speed,
    key: "samplesPerSecond",
    label: "samples per second",
    unit: "samples/s",
    definition: "samples of all GPUs together",
    formula: "batch ÷ step time; in serving requests ÷ time of a round",
    against: "all GPUs together",
    // A request is a sample.
    found: ({ samplesPerSecond, serving }) =>
      serving === undefined
        ? samplesPerSecond
        : { ...serving.requestsPerSecond, unit: "samples/s" },
  },
  {
    ...speed,
    key: "tokensPerSecond",
    label: "tokens per second",
    unit: "tokens/s",
    definition: "tokens of all GPUs together",
    formula: "batch · sequence ÷ step time; in serving input and output tokens ÷ time of a round",
    against: "all GPUs together",
    found: ({ tokensPerSecond, serving }) => serving?.totalTokensPerSecond ?? tokensPerSecond,
  },
  {
    ...speed,
    key: "gpuUtilization",
    label: "GPU utilization",
    unit: "share",
    definition: "share of the time that a GPU is busy",
    formula:
      "time in which a kernel runs, of the model or of a sum of a collective, ÷ step time, mean over ranks; a step begins when the one before is over",
    against: "busy %, mean over ranks",
    found: ({ busy }) => busy,
  },
  {
    ...speed,
    key: "computeUtilization",
    label: "compute utilization",
    unit: "share",
    definition: "share of the peak that the model's FLOPs reach",
    formula:
      "model FLOPs ÷ (step time · GPUs · peak); recomputation never counts; causal attention counts by half",
    against: "MFU: the plan's peak where it gives one, else the calibrated one",
    found: ({ mfu }) => mfu,
    flopsRate: ({ modelFlopsRate }) => modelFlopsRate,
  },
  {
    ...speed,
    key: "hardwareFlopsUtilization",
    label: "hardware utilization",
    unit: "share",
    definition: "as MFU, with FLOPs that are computed again in the backward pass",
    formula: "(model FLOPs + recomputed FLOPs) ÷ (step time · GPUs · peak)",
    against: "HFU: the plan's peak where it gives one, else the calibrated one",
    found: ({ hfu }) => hfu,
    flopsRate: ({ hardwareFlopsRate }) => hardwareFlopsRate,
  },
  {
    key: "memoryUtilization",
    label: "memory used",
    unit: "share",
    kind: "memory",
    promise: "exactly",
    tolerance: MEMORY_TOLERANCE,
    definition: "share of a GPU's memory that is used",
    formula: "bytes on the fullest GPU ÷ hardware.memoryPerGpu",
    against: "the program's buffers, KV cache included, on the fullest GPU",
  },
  {
    key: "memoryAvailable",
    label: "memory left per GPU",
    unit: "B",
    kind: "memory",
    promise: "at least",
    tolerance: ROUNDING,
    definition: "bytes that are left on a GPU",
    formula: "hardware.memoryPerGpu − bytes on the fullest GPU",
    against: "the program's buffers, KV cache included, on the fullest GPU",
  },
  {
    key: "expertsPerGpu",
    label: "experts per GPU",
    unit: "experts",
    kind: "split",
    promise: "exactly",
    tolerance: 1e-9,
    definition: "experts that each GPU with experts holds",
    formula: "(experts + redundant experts) ÷ expert ranks of a group",
    against: "the plan's split",
  },
  {
    key: "expertVariance",
    label: "variance of experts",
    unit: "ratio",
    kind: "split",
    promise: "exactly",
    tolerance: 1e-9,
    definition: "variance of the number of experts per GPU",
    formula: "mean of (experts of a GPU − mean)²",
    against: "the plan's split",
  },
  {
    key: "tensorGroupSize",
    label: "tensor group size",
    unit: "GPUs",
    kind: "split",
    promise: "exactly",
    tolerance: 1e-9,
    definition: "GPUs that share one layer",
    formula: "GPUs of a tensor group",
    against: "the plan's split",
  },
  {
    key: "strongScaling",
    label: "strong scaling",
    unit: "share",
    kind: "scaling",
    promise: "at least",
    tolerance: ROUNDING,
    definition: "efficiency of N GPUs on the same total work",
    formula: "T₁ ÷ (N · T_N)",
    against: "a run on one GPU",
  },
  {
    key: "weakScaling",
    label: "weak scaling",
    unit: "share",
    kind: "scaling",
    promise: "at least",
    tolerance: ROUNDING,
    definition: "efficiency of N GPUs on the same work per GPU",
    formula: "T₁ ÷ T_N",
    against: "a run on one GPU",
  },
  {
    ...served,
    key: "ttftMs",
    label: "time to first token",
    unit: "ms",
    promise: "at most",
    definition: "time to a request's first token, mean over requests",
    formula: "first token − arrival",
    found: ({ serving }) => serving?.ttftMs.mean,
  },
  {
    ...served,
    key: "tpotMs",
    label: "time per output token",
    unit: "ms",
    promise: "at most",
    definition: "time per output token after the first, mean over requests",
    formula: "(last token − first token) ÷ (output tokens − 1)",
    found: ({ serving }) => serving?.tpotMs.mean,
  },
  {
    ...served,
    key: "itlMs",
    label: "inter-token latency",
    unit: "ms",
    promise: "at most",
    definition: "gap between two tokens of a request, mean over all gaps",
    formula: "token − token before",
    found: ({ serving }) => serving?.itlMs.mean,
  },
  {
    ...served,
    key: "requestsPerSecond",
    label: "requests per second",
    unit: "requests/s",
    definition: "requests of all GPUs together",
    formula: "requests ÷ time of a round",
    found: ({ serving }) => serving?.requestsPerSecond,
  },
  {
    ...served,
    key: "outputTokensPerSecond",
    label: "output tokens per second",
    unit: "tokens/s",
    definition: "output tokens of all GPUs together",
    formula: "output tokens ÷ time of a round",
    found: ({ serving }) => serving?.outputTokensPerSecond,
  },
  {
    ...served,
    key: "tokensPerSecondPerGpu",
    label: "output tokens per GPU",
    unit: "tokens/s",
    definition: "output tokens per second and GPU",
    formula: "output tokens ÷ time of a round ÷ GPUs",
    found: ({ serving }) => serving?.tokensPerSecondPerGpu,
  },
  {
    ...served,
    key: "tokensPerSecondPerUser",
    label: "tokens per user",
    unit: "tokens/s",
    definition: "output tokens per second that a request sees",
    formula: "1 ÷ mean time per output token",
    found: ({ serving }) => serving?.tokensPerSecondPerUser,
  },
  {
    key: "kvCacheBytes",
    label: "KV cache",
    unit: "B",
    kind: "memory",
    promise: "exactly",
    tolerance: MEMORY_TOLERANCE,
    definition: "bytes of keys and values that all GPUs keep",
    formula: "2 · layers · KV heads · head dimension · bytes of a value · tokens in whole pages",
    against: "the caches of the requests that run at once",
  },
];
